package dev.lamina.graph.passes;

import dev.lamina.graph.Graph;
import dev.lamina.graph.Node;
import dev.lamina.graph.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Who reads what in a graph. */
final class Uses {
  private final Map<Node, List<Node>> readers = new HashMap<>();
  private final Map<Tensor, Set<Node>> readersOfTensor = new HashMap<>();
  private final Set<Tensor> results = new HashSet<>();

  Uses(Graph graph) {
    for (Node node : graph.nodes()) {
      for (Tensor input : node.inputs()) {
        readers.computeIfAbsent(input.node(), _ -> new ArrayList<>()).add(node);
        readersOfTensor.computeIfAbsent(input, _ -> new HashSet<>()).add(node);
      }
    }
    results.addAll(graph.outputs().values());
    results.addAll(graph.assigns().values());
  }

  /** The nodes that read any output of {@code node}, each as often as it does. */
  List<Node> readers(Node node) {
    return readers.getOrDefault(node, List.of());
  }

  /** Whether {@code tensor} is read by {@code reader} and by nothing else, and is no result. */
  boolean onlyReaderIs(Tensor tensor, Node reader) {
    return !results.contains(tensor) && readersOfTensor.getOrDefault(tensor, Set.of()).equals(Set.of(reader));
  }

  /** Whether it is an output of the graph or the new value of a variable. */
  boolean isResult(Tensor tensor) {
    return results.contains(tensor);
  }

  /** Whether {@code node} is {@code ancestor} or is computed from it. */
  static boolean dependsOn(Node node, Node ancestor) {
    Set<Node> seen = new HashSet<>();
    List<Node> open = new ArrayList<>(List.of(node));
    while (!open.isEmpty()) {
      Node next = open.removeLast();
      if (next == ancestor) {
        return true;
      }
      if (next.id() > ancestor.id() && seen.add(next)) {
        next.inputs().forEach(input -> open.add(input.node()));
      }
    }
    return false;
  }
}
