package dev.lamina.train;

import dev.lamina.device.RunningGraph;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Expr.UnaryOp;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Node;
import dev.lamina.graph.Op;
import dev.lamina.graph.Statistics;
import dev.lamina.graph.Tensor;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** How much of a model's sigmoids and tanhs is saturated: where their input lies beyond ±5 their slope is next to 0. */
public final class Saturation {
  /** A sigmoid's slope here is 0.7 % (tanh: 0.02 %), of at most 25 %. */
  private static final double BOUND = 5;

  private Saturation() {}

  /**
   * The share of saturated values of all sigmoids and tanhs of a layer, by its path, in training as it stands now; of a
   * recurrent layer those of all gates and steps.
   *
   * @param images a batch of the spec's examples
   */
  public static SequencedMap<String, Double> of(CompiledModel model, HostTensor images) {
    Graph graph = model.trace().trainingUnchanged().graph();
    SequencedMap<String, List<Tensor>> inputs = inputs(graph);
    SequencedMap<String, Double> shares = new LinkedHashMap<>();
    inputs.forEach((name, all) -> {
      shares.put(name, Double.NaN);
      graph.output(name, share(all, model.spec().precision().parameters()));
    });
    if (shares.isEmpty()) {
      return shares;
    }
    try (RunningGraph probe = model.probe(graph)) {
      probe.stage("images", images);
      probe.run();
      for (Map.Entry<String, Double> share : shares.entrySet()) {
        share.setValue(probe.number(share.getKey()));
      }
    }
    return shares;
  }

  /** What all sigmoids and tanhs of a forward pass are given, by the path of their layer. */
  static SequencedMap<String, List<Tensor>> inputs(Graph graph) {
    SequencedMap<String, List<Tensor>> inputs = new LinkedHashMap<>();
    for (Node node : graph.nodes()) {
      if (node.op() instanceof Op.Map(List<Expr> exprs, List<DType> _, Shape _) && isSquashing(exprs)) {
        String name = node.layer().isEmpty() ? node.op().label() : node.layer();
        inputs.computeIfAbsent(name, _ -> new ArrayList<>()).add(node.inputs().getFirst());
      }
    }
    return inputs;
  }

  private static boolean isSquashing(List<Expr> exprs) {
    return exprs.getFirst() instanceof Expr.Unary(UnaryOp op, Expr.Input _)
        && (op == UnaryOp.SIGMOID || op == UnaryOp.TANH);
  }

  /** The share of all values of {@code inputs}, of sigmoids and tanhs, that lie beyond the bound. */
  static Tensor share(List<Tensor> inputs, DType type) {
    Expr size = Exprs.abs(Exprs.input(0));
    List<Tensor> beyond =
        inputs.stream().map(input -> Statistics.count(input, size, Relation.GT, BOUND, type).reshape(1)).toList();
    double all = inputs.stream().mapToDouble(input -> input.shape().size()).sum();
    return Tensor.concat(0, beyond).sum().times(1 / all);
  }
}
