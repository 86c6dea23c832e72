package dev.lamina.graph.passes;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Node;
import dev.lamina.graph.Node.Phase;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Gives the backward pass its own copy of cheap expressions of the forward pass whose inputs are there anyway. The copy
 * is fused into what reads it, so a value that would have been kept from forward to backward is neither stored nor
 * loaded.
 */
final class Recomputation {
  /** Larger expressions cost more to repeat than one more value costs to load. */
  private static final int LARGEST = 16;

  private Recomputation() {}

  static Graph apply(Graph graph) {
    Uses uses = new Uses(graph);
    Rewrite rewrite = new Rewrite(graph);
    Map<Node, Tensor> copies = new HashMap<>();
    for (Node node : graph.nodes()) {
      if (node.phase() != Phase.BACKWARD || !(node.op() instanceof Op.Map || node.op() instanceof Op.Reduce)) {
        rewrite.copy(node);
        continue;
      }
      List<Tensor> inputs =
          node.inputs().stream()
              .map(input ->
                  worthRepeating(input.node(), node, uses)
                      ? copies.computeIfAbsent(
                          input.node(), p -> rewrite.add(node, p.op(), rewrite.of(p.inputs())).getFirst())
                      : rewrite.of(input))
              .toList();
      rewrite.put(node, rewrite.add(node, node.op(), inputs));
    }
    return rewrite.finish();
  }

  private static boolean worthRepeating(Node producer, Node reader, Uses uses) {
    return producer.phase() == Phase.FORWARD
        && producer.op() instanceof Op.Map map
        && map.exprs().size() == 1
        && map.shape().equals(shapeOf(reader.op()))
        && map.exprs().getFirst().treeSize() <= LARGEST
        && cheap(map.exprs().getFirst())
        && producer.inputs().stream().allMatch(input -> keptUntil(input, reader, producer, uses))
        && !needed(producer, reader, uses);
  }

  private static dev.lamina.tensor.Shape shapeOf(Op op) {
    return switch (op) {
      case Op.Map map -> map.shape();
      case Op.Reduce reduce -> reduce.shape();
      default -> null;
    };
  }

  /** Variables stay where they are; another tensor is kept if something else reads it at {@code reader} or later. */
  private static boolean keptUntil(Tensor tensor, Node reader, Node except, Uses uses) {
    return tensor.node().op() instanceof Op.Read
        || uses.readers(tensor.node()).stream()
            .anyMatch(other -> other != except && other.id() >= reader.id() && other.inputs().contains(tensor));
  }

  /**
   * Whether something that cannot repeat the expression itself reads its value at {@code reader} or later: then it is
   * kept anyway.
   */
  private static boolean needed(Node producer, Node reader, Uses uses) {
    return uses.readers(producer).stream().anyMatch(other -> other.id() >= reader.id() && shapeOf(other.op()) == null);
  }

  private static boolean cheap(Expr expr) {
    return switch (expr) {
      case Expr.Input _, Expr.Constant _, Expr.Index _ -> true;
      case Expr.Uniform _, Expr.Bernoulli _ -> false;
      case Expr.Unary(Expr.UnaryOp op, Expr a) ->
          switch (op) {
            case NEG, ABS, SIGN, SQRT -> cheap(a);
            case EXP, EXPM1, LOG, LOG1P, TANH, SIGMOID, SOFTPLUS, ERF -> false;
          };
      case Expr.Binary(Expr.BinaryOp _, Expr a, Expr b) -> cheap(a) && cheap(b);
      case Expr.Select(Expr.Relation _, Expr left, Expr right, Expr a, Expr b) ->
          cheap(left) && cheap(right) && cheap(a) && cheap(b);
    };
  }
}
