package dev.lamina.nn;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.RunningGraph;
import dev.lamina.device.VariableStore;
import dev.lamina.device.cpu.CpuProvider;
import dev.lamina.device.reference.ReferenceProvider;
import dev.lamina.graph.Gradients;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.nn.init.Initializer;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Runs one layer forward and backward: on the reference device in double unless told otherwise. */
public final class LayerRun {
  private final Layer layer;
  private Scope.Mode mode = Scope.Mode.TRAINING;
  private long seed = 7;
  private int step = 1;
  private Supplier<Device> open = () -> new ReferenceProvider().open(new DeviceOptions(1));
  private DType dtype = DType.F64;
  private final Map<String, double[]> values = new HashMap<>();

  /** In training, with the initial values that the layer gives its parameters. */
  public LayerRun(Layer layer) {
    this.layer = layer;
  }

  /** What comes out. */
  public record Result(Shape shape, double[] output, double[] gradient, Map<String, double[]> state) {}

  public LayerRun evaluation() {
    mode = Scope.Mode.EVALUATION;
    return this;
  }

  public LayerRun seed(long newSeed) {
    seed = newSeed;
    return this;
  }

  public LayerRun step(int newStep) {
    step = newStep;
    return this;
  }

  /** Runs on the CPU device in float. */
  public LayerRun onCpu() {
    return on(() -> new CpuProvider().open(new DeviceOptions(1)));
  }

  /** Runs in float on a device that {@code opened} opens. */
  public LayerRun on(Supplier<Device> opened) {
    open = opened;
    dtype = DType.F32;
    return this;
  }

  /** Gives a parameter or statistic its value. */
  public LayerRun set(String name, double... value) {
    values.put(name, value);
    return this;
  }

  /**
   * The layer's output on {@code input}, the gradient of the sum of the output with respect to it, and parameters and
   * statistics after the step.
   */
  public Result run(Shape shape, double... input) {
    Graph graph = new Graph();
    Variable x = new Variable("input", new TensorType(shape, dtype), Variable.Kind.WEIGHT);
    Variable count = new Variable("step", TensorType.of(DType.I32), Variable.Kind.COUNTER);
    Tensor in = graph.read(x);
    Parameters parameters = new Parameters();
    Tensor out = layer.forward(in, Scope.root(graph, mode, parameters, dtype, seed, graph.read(count)));
    graph.output("y", out);
    graph.output("dx", Gradients.of(out.sum(), List.of(in)).getFirst());
    try (Arena arena = Arena.ofConfined();
        Device device = open.get();
        RunningGraph running = new RunningGraph(device, graph)) {
      VariableStore store = running.variables();
      store.write(x, tensor(arena, x, input));
      store.write(count, tensor(arena, count, step));
      for (Parameters.Declaration declaration : parameters.all()) {
        Variable variable = declaration.variable();
        HostTensor value = HostTensor.allocate(arena, variable.type());
        if (values.containsKey(variable.name())) {
          value.copyFrom(tensor(arena, variable, values.get(variable.name())));
        } else {
          declaration.initializer().fill(value, Initializer.generator(seed, variable.name()));
        }
        store.write(variable, value);
      }
      running.run();
      Map<String, double[]> state = new HashMap<>();
      for (Parameters.Declaration declaration : parameters.all()) {
        Variable variable = declaration.variable();
        state.put(variable.name(), store.read(variable, arena).toDoubles());
      }
      return new Result(out.shape(), running.read("y"), running.read("dx"), state);
    }
  }

  private static HostTensor tensor(Arena arena, Variable variable, double... values) {
    HostTensor tensor = HostTensor.allocate(arena, variable.type());
    if (tensor.size() != values.length) {
      throw new IllegalArgumentException(variable + " takes " + tensor.size() + " values, got " + values.length);
    }
    for (int i = 0; i < values.length; i++) {
      tensor.set(i, values[i]);
    }
    return tensor;
  }

  /** The output type and what was declared when {@code layer} is traced for {@code input}, with nothing run. */
  public static Tensor trace(Layer layer, Scope.Mode mode, Parameters parameters, int... input) {
    Graph graph = new Graph();
    Tensor x = graph.input("x", TensorType.f32(input));
    Tensor step = graph.constant(TensorType.of(DType.I32), 1);
    return layer.forward(x, Scope.root(graph, mode, parameters, DType.F32, 1, step));
  }
}
