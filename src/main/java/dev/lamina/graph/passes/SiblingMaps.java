package dev.lamina.graph.passes;

import dev.lamina.graph.Expr;
import dev.lamina.graph.ExprRewriter;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Node;
import dev.lamina.graph.Node.Phase;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Computes new values of small variables together: running statistics of all layers with as many channels, counters,
 * sums. A network with twenty batch norms has forty of them, and each as a kernel of its own would take longer to start
 * than to run.
 *
 * <p>Only maps whose outputs nobody reads in the step are joined, where the last of them stood, so no order changes
 * that matters.
 */
final class SiblingMaps {
  /** Results of one map: the addresses of twice as many inputs still fit in a GPU's registers. */
  private static final int MOST_OUTPUTS = 32;

  /** Elements of a map that takes longer to start than to run, with room. */
  private static final long SMALL = 1 << 14;

  private SiblingMaps() {}

  /** What maps have in common that can be one. */
  private record Family(Shape shape, DType precision) {}

  static Graph apply(Graph graph, Support support) {
    Uses uses = new Uses(graph);
    Map<Family, List<Node>> open = new LinkedHashMap<>();
    List<List<Node>> groups = new ArrayList<>();
    for (Node node : graph.nodes()) {
      if (!mayJoin(node, uses)) {
        continue;
      }
      List<Node> group = open.computeIfAbsent(family(node), _ -> new ArrayList<>());
      group.add(node);
      Joined joined = Joined.of(group);
      if (joined.op.exprs().size() > MOST_OUTPUTS || !support.runs(joined.op, joined.inputs.types())) {
        group.removeLast();
        groups.add(List.copyOf(group));
        group.clear();
        group.add(node);
      }
    }
    groups.addAll(open.values());
    return rebuild(graph, groups);
  }

  private static boolean mayJoin(Node node, Uses uses) {
    return node.phase() == Phase.UPDATE
        && node.op() instanceof Op.Map map
        && map.shape().size() <= SMALL
        && uses.readers(node).isEmpty();
  }

  private static Family family(Node node) {
    List<DType> in = node.inputTypes().stream().map(TensorType::dtype).toList();
    List<DType> out = node.types().stream().map(TensorType::dtype).toList();
    return new Family(((Op.Map) node.op()).shape(), Expr.precision(in, out));
  }

  private static Graph rebuild(Graph graph, List<List<Node>> groups) {
    Map<Node, List<Node>> groupOf = new HashMap<>();
    groups.stream().filter(group -> group.size() > 1).forEach(group -> group.forEach(node -> groupOf.put(node, group)));
    Rewrite rewrite = new Rewrite(graph);
    for (Node node : graph.nodes()) {
      List<Node> group = groupOf.get(node);
      if (group == null) {
        rewrite.copy(node);
      } else if (group.getLast() == node) {
        Joined joined = Joined.of(group);
        List<Tensor> results = rewrite.add("", Phase.UPDATE, joined.op, rewrite.of(joined.inputs.tensors()));
        int at = 0;
        for (Node member : group) {
          rewrite.put(member, results.subList(at, at + member.types().size()));
          at += member.types().size();
        }
      }
    }
    return rewrite.finish();
  }

  /** Maps of one family as one: their outputs one behind the other. */
  private record Joined(Op.Map op, JointInputs inputs) {

    static Joined of(List<Node> maps) {
      JointInputs inputs = new JointInputs();
      List<Expr> exprs = new ArrayList<>();
      List<DType> dtypes = new ArrayList<>();
      for (Node node : maps) {
        Op.Map map = (Op.Map) node.op();
        List<Expr> places = inputs.places(node);
        map.exprs().forEach(expr -> exprs.add(ExprRewriter.substitute(expr, places)));
        dtypes.addAll(map.dtypes());
      }
      Shape shape = ((Op.Map) maps.getFirst().op()).shape();
      return new Joined(new Op.Map(exprs, dtypes, shape), inputs);
    }
  }
}
