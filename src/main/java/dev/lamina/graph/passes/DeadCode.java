package dev.lamina.graph.passes;

import dev.lamina.graph.Graph;
import dev.lamina.graph.Node;
import dev.lamina.graph.Tensor;
import java.util.HashSet;
import java.util.Set;

/** Drops what no result needs. */
final class DeadCode {
  private DeadCode() {}

  static Graph apply(Graph graph) {
    Set<Node> live = new HashSet<>();
    graph.outputs().values().forEach(tensor -> live.add(tensor.node()));
    graph.assigns().values().forEach(tensor -> live.add(tensor.node()));
    for (Node node : graph.nodes().reversed()) {
      if (live.contains(node)) {
        node.inputs().stream().map(Tensor::node).forEach(live::add);
      }
    }
    Rewrite rewrite = new Rewrite(graph);
    graph.nodes().stream().filter(live::contains).forEach(rewrite::copy);
    return rewrite.finish();
  }
}
