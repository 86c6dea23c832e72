package dev.lamina.graph.passes;

import dev.lamina.graph.Graph;
import dev.lamina.graph.Node;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/** Drops what no result needs: nodes, and single outputs of maps that have several. */
final class DeadCode {
  private DeadCode() {}

  static Graph apply(Graph graph) {
    Set<Tensor> live = new HashSet<>(graph.outputs().values());
    live.addAll(graph.assigns().values());
    for (Node node : graph.nodes().reversed()) {
      if (isLive(graph, node, live)) {
        live.addAll(node.inputs());
      }
    }
    Rewrite rewrite = new Rewrite(graph);
    for (Node node : graph.nodes()) {
      if (isLive(graph, node, live)) {
        copy(graph, node, live, rewrite);
      }
    }
    return rewrite.finish();
  }

  private static boolean isLive(Graph graph, Node node, Set<Tensor> live) {
    return IntStream.range(0, node.types().size()).anyMatch(i -> live.contains(graph.tensor(node, i)));
  }

  private static void copy(Graph graph, Node node, Set<Tensor> live, Rewrite rewrite) {
    List<Integer> used =
        IntStream.range(0, node.types().size()).filter(i -> live.contains(graph.tensor(node, i))).boxed().toList();
    if (!(node.op() instanceof Op.Map map) || used.size() == map.exprs().size()) {
      rewrite.copy(node);
      return;
    }
    Op.Map fewer =
        new Op.Map(
            used.stream().map(map.exprs()::get).toList(), used.stream().map(map.dtypes()::get).toList(), map.shape());
    List<Tensor> results = rewrite.add(node, fewer, rewrite.of(node.inputs()));
    for (int i = 0; i < used.size(); i++) {
      rewrite.put(graph.tensor(node, used.get(i)), results.get(i));
    }
  }
}
