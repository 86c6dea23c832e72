package dev.lamina.graph.passes;

import dev.lamina.graph.Expr;
import dev.lamina.graph.ExprRewriter;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Node;
import dev.lamina.graph.Op;
import dev.lamina.graph.Op.PoolKind;
import dev.lamina.graph.Tensor;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Moves a ReLU behind the max pool that reads it, and its mask in front of the pool's gradient: both then see a pooled
 * image, a quarter of the elements for windows of 2×2, and the gradient of what lies before the ReLU needs no mask.
 *
 * <p>All values stay the same to the bit. The largest of a window is what the ReLU keeps if it is positive; if not,
 * windows may have other winners than before, but then the mask lets no gradient through.
 */
final class PoolFirst {
  private PoolFirst() {}

  static Graph apply(Graph graph, Support support) {
    Uses uses = new Uses(graph);
    Map<Node, Swap> swaps = new HashMap<>();
    for (Node node : graph.nodes()) {
      Swap.around(node, graph, uses)
          .filter(swap -> support.runs(swap.pooled(), List.of(swap.relu.inputs().getFirst().type())))
          .ifPresent(swap -> {
            swaps.put(swap.relu, swap);
            swaps.put(swap.pool, swap);
            swaps.put(swap.gradient, swap);
            swaps.put(swap.mask, swap);
          });
    }
    if (swaps.isEmpty()) {
      return graph;
    }
    Rewrite rewrite = new Rewrite(graph);
    for (Node node : graph.nodes()) {
      Swap swap = swaps.get(node);
      if (swap == null) {
        rewrite.copy(node);
      } else if (node == swap.pool) {
        swap.pool(rewrite);
      } else if (node == swap.mask) {
        swap.gradient(rewrite);
      }
    }
    return rewrite.finish();
  }

  /**
   * What changes places.
   *
   * @param relu of what will be pooled first
   * @param gradient that of the pool
   * @param mask of that gradient, by the ReLU's sign
   */
  private record Swap(Node relu, Node pool, Node gradient, Node mask) {
    private static final Expr RELU = Exprs.ifNotPositive(Exprs.input(0), Exprs.constant(0), Exprs.input(0));

    /** As {@link dev.lamina.graph.Gradients} writes it: where the ReLU gave 0 that is the gradient too. */
    private static final Expr MASK = Exprs.ifNotPositive(Exprs.input(1), Exprs.input(1), Exprs.input(0));

    /** The swap around {@code pool}, if nothing else sees what would no longer be there. */
    static Optional<Swap> around(Node pool, Graph graph, Uses uses) {
      if (!(pool.op() instanceof Op.Pool2d(PoolKind kind, var _)) || kind != PoolKind.MAX) {
        return Optional.empty();
      }
      Tensor positive = pool.inputs().getFirst();
      Node relu = positive.node();
      Optional<Node> gradient = only(uses.readers(pool), node -> node.inputs().contains(graph.tensor(pool, 1)));
      Optional<Node> mask = gradient.flatMap(node -> only(uses.readers(node), _ -> true));
      if (mask.isEmpty()
          || !(gradient.get().op() instanceof Op.Pool2dGradient)
          || !maps(relu, RELU)
          || !maps(mask.get(), MASK)
          || !mask.get().inputs().equals(List.of(graph.tensor(gradient.get(), 0), positive))) {
        return Optional.empty();
      }
      boolean seen =
          uses.isResult(positive)
              || uses.isResult(graph.tensor(pool, 1))
              || uses.isResult(graph.tensor(gradient.get(), 0))
              || uses.readers(relu).size() != 2;
      return seen ? Optional.empty() : Optional.of(new Swap(relu, pool, gradient.get(), mask.get()));
    }

    private static Optional<Node> only(List<Node> nodes, Predicate<Node> which) {
      List<Node> found = nodes.stream().filter(which).distinct().toList();
      return found.size() == 1 ? Optional.of(found.getFirst()) : Optional.empty();
    }

    /** Whether it computes one output, of its first input's type, by {@code expr}. */
    private static boolean maps(Node node, Expr expr) {
      return node.op() instanceof Op.Map map
          && map.exprs().equals(List.of(expr))
          && node.types().getFirst().equals(node.inputs().getFirst().type());
    }

    /** The pool with the ReLU behind it. */
    Op.Fused pooled() {
      Expr behind = ExprRewriter.substitute(RELU, List.of(Exprs.input(1)));
      return new Op.Fused(pool.op(), -1, null, behind, 0);
    }

    void pool(Rewrite rewrite) {
      List<Tensor> results = rewrite.add(pool, pool.op(), rewrite.of(relu.inputs()));
      rewrite.put(pool, List.of(rewrite.add(relu, map(RELU, pool), results.subList(0, 1)).getFirst(), results.get(1)));
    }

    void gradient(Rewrite rewrite) {
      List<Tensor> inputs = new ArrayList<>(rewrite.of(gradient.inputs()));
      List<Tensor> masked = List.of(inputs.getFirst(), rewrite.of(rewrite.output(pool, 0)));
      inputs.set(0, rewrite.add(mask, map(MASK, pool), masked).getFirst());
      rewrite.put(mask, rewrite.add(gradient, gradient.op(), inputs));
    }

    private static Op.Map map(Expr expr, Node pool) {
      TensorType type = pool.types().getFirst();
      return new Op.Map(expr, type.dtype(), type.shape());
    }
  }
}
