package dev.lamina.graph.passes;

import dev.lamina.graph.Expr;
import dev.lamina.graph.ExprRewriter;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Node;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Reduces and maps in one pass over what both read, where a device can: the gradients of an activation's input and of
 * its learned slope read the same two images.
 */
final class OnePass {
  /** Elements of tensors that the caches no longer hold for the second reader. */
  private static final long LARGE = 1 << 16;

  private OnePass() {}

  static Graph apply(Graph graph, Support support) {
    Graph current = graph;
    while (true) {
      Optional<Pair> pair = Pair.in(current, support);
      if (pair.isEmpty()) {
        return current;
      }
      current = rebuild(current, pair.get());
    }
  }

  private static Graph rebuild(Graph graph, Pair pair) {
    Rewrite rewrite = new Rewrite(graph);
    for (Node node : graph.nodes()) {
      if (rewrite.knows(node)) {
        continue;
      }
      if (node != pair.reduce && node != pair.map) {
        rewrite.copyWithInputs(node);
        continue;
      }
      pair.inputs.tensors().forEach(input -> rewrite.copyWithInputs(input.node()));
      List<Tensor> results = rewrite.add(pair.reduce, pair.op, rewrite.of(pair.inputs.tensors()));
      rewrite.put(pair.reduce, results.subList(0, 1));
      rewrite.put(pair.map, results.subList(1, results.size()));
    }
    return rewrite.finish();
  }

  /** Two nodes, neither computed from the other, and both as one operation. */
  private record Pair(Node reduce, Node map, Op op, JointInputs inputs) {

    /** The first that there is. */
    static Optional<Pair> in(Graph graph, Support support) {
      for (Node reduce : graph.nodes()) {
        if (!(reduce.op() instanceof Op.Reduce op) || op.shape().size() < LARGE) {
          continue;
        }
        Optional<Pair> pair =
            graph.nodes().stream()
                .filter(map -> saved(reduce, map) >= LARGE)
                .max(Comparator.comparingLong(map -> saved(reduce, map)))
                .map(map -> of(reduce, map))
                .filter(both -> support.runs(both.op, both.inputs.types()));
        if (pair.isPresent()) {
          return pair;
        }
      }
      return Optional.empty();
    }

    /** Elements that need not be read twice if the two become one; 0 if they cannot. */
    private static long saved(Node reduce, Node node) {
      boolean joinable =
          node.op() instanceof Op.Map map
              && map.shape().equals(((Op.Reduce) reduce.op()).shape())
              && node.phase() == reduce.phase();
      long saved =
          !joinable
              ? 0
              : reduce.inputs().stream().filter(node.inputs()::contains).mapToLong(input -> input.shape().size()).sum();
      return saved == 0 || Uses.dependsOn(node, reduce) || Uses.dependsOn(reduce, node) ? 0 : saved;
    }

    private static Pair of(Node reduce, Node map) {
      JointInputs inputs = new JointInputs();
      Op.Reduce first = (Op.Reduce) reduce.op();
      Op.Map second = (Op.Map) map.op();
      Expr value = ExprRewriter.substitute(first.value(), inputs.places(reduce));
      List<Expr> ofMap = inputs.places(map);
      List<Expr> exprs = second.exprs().stream().map(expr -> ExprRewriter.substitute(expr, ofMap)).toList();
      Op op =
          new Op.ReduceWithMap(
              new Op.Reduce(first.kind(), value, first.dtype(), first.shape(), first.axes()),
              new Op.Map(exprs, second.dtypes(), second.shape()));
      return new Pair(reduce, map, op, inputs);
    }
  }
}
