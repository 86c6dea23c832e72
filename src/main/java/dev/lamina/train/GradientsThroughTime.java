package dev.lamina.train;

import dev.lamina.device.RunningGraph;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Statistics;
import dev.lamina.graph.Tensor;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * How large the gradient of the loss is at each step of a model's recurrent layers: {@code ‖∂loss/∂h_t‖} for t = 0, 1,
 * …, over all units and examples of a batch, for training as it stands now, with dropout and before clipping. Where
 * these vanish towards the first steps nothing is learned from them; where they explode a step of training goes astray
 * (Pascanu, Mikolov and Bengio 2013). Where the gradient is cut ({@code truncate}), it is that of the cut propagation.
 *
 * <p>No variable changes. A program of its own over the weights of a model, which stays its owner's and is closed after
 * this.
 */
public final class GradientsThroughTime implements AutoCloseable {
  /** No layer's path has blanks. */
  private static final String ALL_WEIGHTS = "all weights";

  private final List<String> layers;
  private final RunningGraph probe;

  /**
   * Looks at {@code model} through batches of its spec's size.
   *
   * @throws IllegalArgumentException if it has no recurrent layer
   */
  public GradientsThroughTime(CompiledModel model) {
    ModelTrace.Pass pass = model.trace().trainingUnchanged();
    Graph graph = pass.graph();
    SequencedMap<String, List<Tensor>> unrolled = pass.unrolled();
    if (unrolled.isEmpty()) {
      throw new IllegalArgumentException("the model has no recurrent layer, so no gradient goes through time");
    }
    layers = List.copyOf(unrolled.keySet());
    List<Tensor> hidden = unrolled.values().stream().flatMap(List::stream).toList();
    WeightGradients all = WeightGradients.of(graph, pass.perExample().mean(), hidden);
    List<Tensor> gradients = all.others();
    graph.output(ALL_WEIGHTS, norm(Tensor.concat(0, all.weights().values().stream().map(g -> norm(g)).toList())));
    int at = 0;
    for (String layer : layers) {
      int steps = unrolled.get(layer).size();
      graph.output(layer, Tensor.concat(0, gradients.subList(at, at + steps).stream().map(g -> norm(g)).toList()));
      at += steps;
    }
    probe = model.probe(graph);
  }

  /** Whether {@code model} has a recurrent layer. */
  public static boolean isIn(CompiledModel model) {
    return !model.trace().training().unrolled().isEmpty();
  }

  /** The norm of a tensor as [1], in double: the square of what has all but vanished is nothing in a float. */
  private static Tensor norm(Tensor gradient) {
    return Statistics.norm(gradient.cast(DType.F64), DType.F64).reshape(1);
  }

  /**
   * The norms on a batch, one for each step, by the path of the recurrent layer ({@code lstm1}; empty if the model is
   * that layer itself).
   *
   * @param images a batch of the spec's examples
   * @param target what belongs to them
   */
  public SequencedMap<String, double[]> norms(HostTensor images, HostTensor target) {
    probe.stage("images", images);
    probe.stage("target", target);
    probe.run();
    SequencedMap<String, double[]> norms = new LinkedHashMap<>();
    layers.forEach(layer -> norms.put(layer, probe.read(layer)));
    return norms;
  }

  /**
   * The norm of the gradient of all weights together on the batch of the last {@link #norms}: what clipping by norm
   * holds against its limit.
   */
  public double ofWeights() {
    return probe.number(ALL_WEIGHTS);
  }

  @Override
  public void close() {
    probe.close();
  }
}
