package dev.lamina.train;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Expr.UnaryOp;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Node;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.nn.Scope;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** How much of a model's sigmoids and tanhs is saturated: where their input lies beyond ±5 their slope is next to 0. */
public final class Saturation {
  private static final double BOUND = 5;

  private Saturation() {}

  /**
   * The share of saturated values of each sigmoid and tanh, by the path of its layer, in training as it stands now.
   *
   * @param images a batch of the spec's examples
   */
  public static SequencedMap<String, Double> of(CompiledModel model, HostTensor images) {
    ModelTrace trace = model.trace();
    Graph graph = new Graph();
    trace.forward(graph, trace.images(graph, trace.spec().batch()), Scope.Mode.TRAINING);
    graph.dropAssigns();
    SequencedMap<String, Double> shares = new LinkedHashMap<>();
    for (Node node : List.copyOf(graph.nodes())) {
      if (node.op() instanceof Op.Map(List<Expr> exprs, List<DType> _, Shape _) && isSquashing(exprs)) {
        String name = node.layer().isEmpty() ? node.op().label() : node.layer();
        if (shares.putIfAbsent(name, Double.NaN) == null) {
          graph.output(name, beyond(node.inputs().getFirst(), trace.spec().precision().parameters()));
        }
      }
    }
    if (shares.isEmpty()) {
      return shares;
    }
    try (Probe probe = new Probe(model, graph)) {
      probe.stage("images", images);
      probe.run();
      for (Map.Entry<String, Double> share : shares.entrySet()) {
        share.setValue(probe.number(share.getKey()));
      }
    }
    return shares;
  }

  private static boolean isSquashing(List<Expr> exprs) {
    return exprs.getFirst() instanceof Expr.Unary(UnaryOp op, Expr.Input _)
        && (op == UnaryOp.SIGMOID || op == UnaryOp.TANH);
  }

  private static Tensor beyond(Tensor input, DType dtype) {
    Expr share =
        Exprs.select(
            Relation.GT,
            Exprs.abs(Exprs.input(0)),
            Exprs.constant(BOUND),
            Exprs.constant(1.0 / input.shape().size()),
            Exprs.constant(0));
    return input.reduce(Op.ReduceKind.SUM, share, dtype, new int[0]);
  }
}
