package dev.lamina.study;

import dev.lamina.data.Dataset;
import dev.lamina.device.Unfinished;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Node;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Parameters;
import dev.lamina.nn.Scope;
import dev.lamina.nn.Sequential;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import dev.lamina.train.ModelSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Looks into a network that a {@link Course} trains: the outputs of its layers on examples that stay the same, reduced
 * on the device by a graph of the experiment's own.
 */
public final class LayerProbe implements AutoCloseable {
  private final Computation computation;
  private final Parameters parameters = new Parameters();

  /** Adds what is to be measured. */
  @FunctionalInterface
  public interface Measurement {
    /**
     * Names outputs of the graph.
     *
     * @param outputs of the layers, in order; the network's input, prepared, is in front
     * @param labels I32 [n]
     */
    void add(List<Tensor> outputs, Tensor labels);
  }

  /**
   * Traces the layers of {@code course}, which are a {@link Sequential}, on {@code examples}; batch norm takes the
   * statistics of training.
   */
  public LayerProbe(Setting setting, Course course, Dataset examples, Measurement measurement) {
    ModelSpec spec = course.spec();
    Graph graph = new Graph();
    int count = examples.size();
    Tensor images = graph.input("images", batched(count, examples.inputType()));
    Tensor labels = graph.input("labels", TensorType.of(DType.I32, count));
    Tensor step = graph.input("step", TensorType.of(DType.I32));
    Scope scope = Scope.root(graph, Scope.Mode.EVALUATION, parameters, DType.F32, spec.seed(), step);
    Tensor x = spec.preparation().prepare(images, scope, spec.precision());
    List<Tensor> outputs = new ArrayList<>(List.of(x));
    for (Layer layer : ((Sequential) spec.model()).layers()) {
      x = scope.applyAll(List.of(layer), x);
      outputs.add(x);
    }
    measurement.add(outputs, labels);
    try (Unfinished parts = new Unfinished();
        Arena arena = Arena.ofConfined()) {
      computation = parts.add(new Computation(setting.device(), graph));
      HostTensor inputs = HostTensor.allocate(arena, batched(count, examples.inputType()));
      HostTensor classes = HostTensor.allocate(arena, TensorType.of(DType.I32, count));
      long bytes = examples.inputType().bytes();
      for (int i = 0; i < count; i++) {
        MemorySegment.copy(examples.input(i).segment(), 0, inputs.segment(), i * bytes, bytes);
        classes.set(i, examples.label(i));
      }
      computation.stage("images", inputs);
      computation.stage("labels", classes);
      parts.finished();
    }
  }

  /** The value of the weight {@code name} in the graph of {@code outputs}. */
  public static Tensor weight(List<Tensor> outputs, String name) {
    Graph graph = outputs.getFirst().graph();
    for (Node node : graph.nodes()) {
      if (node.op() instanceof Op.Read(Variable variable) && variable.name().equals(name)) {
        return graph.tensor(node, 0);
      }
    }
    throw new IllegalArgumentException("the network has no " + name);
  }

  private static TensorType batched(int count, TensorType example) {
    int[] dims = new int[example.shape().rank() + 1];
    dims[0] = count;
    System.arraycopy(example.shape().dims(), 0, dims, 1, dims.length - 1);
    return new TensorType(Shape.of(dims), example.dtype());
  }

  /** Measures with the weights that the course has now. */
  public Computation look(Course course) {
    try (Arena arena = Arena.ofConfined()) {
      Map<String, HostTensor> weights = course.weights(arena);
      for (Variable variable : computation.variables()) {
        if (weights.containsKey(variable.name())) {
          computation.write(variable, weights.get(variable.name()));
        }
      }
    }
    computation.run();
    return computation;
  }

  @Override
  public void close() {
    computation.close();
  }
}
