package dev.lamina.train;

import dev.lamina.device.RunningGraph;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Statistics;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * Looks at the loss of a model on a batch as a training step sees it, and at its gradients, without taking the step:
 * norms see the batch, dropout drops the same values each time, and no variable changes.
 */
public final class LossProbe implements AutoCloseable {
  private static final String GRADIENT = "gradient of ";

  private final CompiledModel model;
  private final TensorType targetType;
  private final RunningGraph forward;
  private RunningGraph backward;

  /**
   * What a batch says.
   *
   * @param loss the mean over the batch
   * @param lossOfZeros what it would be if the model's output were zeros: of a model that knows nothing yet
   * @param deviation standard deviation of all outputs
   */
  public record Look(double loss, double lossOfZeros, double deviation) {}

  /**
   * Looks at {@code model} through batches of its spec's size; the model stays its owner's, and is closed after this.
   */
  public LossProbe(CompiledModel model) {
    this.model = model;
    ModelTrace.Pass pass = model.trace().trainingUnchanged();
    targetType = pass.target().type();
    Graph graph = pass.graph();
    Tensor output = pass.output();
    Tensor zeros = model.spec().loss().perExample(graph.constant(output.type(), 0), pass.target());
    graph.output("loss", pass.perExample().mean());
    graph.output("loss of zeros", zeros.mean());
    graph.output("deviation", Statistics.deviation(output, model.spec().precision().parameters()));
    forward = model.probe(graph);
  }

  /** The type of a batch's targets. */
  public TensorType targetType() {
    return targetType;
  }

  /** Looks at a batch with the weights as they are. */
  public Look look(HostTensor images, HostTensor target) {
    forward.stage("images", images);
    forward.stage("target", target);
    forward.run();
    return new Look(forward.number("loss"), forward.number("loss of zeros"), forward.number("deviation"));
  }

  /** The gradient of each weight on a batch, by name, in {@code arena}. */
  public SequencedMap<String, HostTensor> gradients(HostTensor images, HostTensor target, Arena arena) {
    if (backward == null) {
      backward = backward();
    }
    backward.stage("images", images);
    backward.stage("target", target);
    backward.run();
    SequencedMap<String, HostTensor> gradients = new LinkedHashMap<>();
    for (Variable weight : model.parameters().weights()) {
      gradients.put(weight.name(), backward.read(GRADIENT + weight.name(), arena));
    }
    return gradients;
  }

  private RunningGraph backward() {
    ModelTrace.Pass pass = model.trace().trainingUnchanged();
    Graph graph = pass.graph();
    Map<Variable, Tensor> gradients = WeightGradients.of(graph, pass.perExample().mean(), List.of()).weights();
    gradients.forEach((weight, gradient) -> graph.output(GRADIENT + weight.name(), gradient));
    return model.probe(graph);
  }

  /**
   * Gives the weight {@code name} another value.
   *
   * @throws IllegalArgumentException if there is no such weight, or it is of another type
   */
  public void replace(String name, HostTensor value) {
    Variable weight =
        model.parameters().weights().stream()
            .filter(variable -> variable.name().equals(name))
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException("the model has no weight " + name));
    model.store().write(weight, value);
  }

  @Override
  public void close() {
    forward.close();
    if (backward != null) {
      backward.close();
    }
  }
}
