package dev.lamina.graph.passes;

import dev.lamina.graph.Graph;
import dev.lamina.graph.Node;
import dev.lamina.graph.Op;
import dev.lamina.tensor.TensorType;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Computes what makes little of much as soon as its inputs are there, so that a tensor that is only looked at need not
 * be kept until its turn comes: the figures of all layers and their gradients are asked for when all of them have been
 * computed.
 */
final class EarlyReductions {
  /** Inputs are so many times as large as what is made of them. */
  private static final long SHRINKS = 8;

  /** What is this small is kept anywhere. */
  private static final long FEW_BYTES = 256;

  private final Rewrite rewrite;

  /** Those that wait for a node, and how many nodes each still waits for. */
  private final Map<Node, List<Node>> waiting = new HashMap<>();

  private final Map<Node, Integer> missing = new HashMap<>();

  private EarlyReductions(Graph graph) {
    rewrite = new Rewrite(graph);
    Uses uses = new Uses(graph);
    // A variable's new value may lie in the memory of the old one if nobody reads that afterwards.
    Set<Node> assigned = new HashSet<>();
    graph.assigns().values().forEach(value -> assigned.add(value.node()));
    for (Node node : graph.nodes()) {
      if (!assigned.contains(node) && !node.inputs().isEmpty() && shrinks(node, uses)) {
        Set<Node> sources = new HashSet<>();
        node.inputs().forEach(input -> sources.add(input.node()));
        missing.put(node, sources.size());
        sources.forEach(source -> waiting.computeIfAbsent(source, _ -> new ArrayList<>()).add(node));
      }
    }
  }

  static Graph apply(Graph graph) {
    EarlyReductions pass = new EarlyReductions(graph);
    graph.nodes().forEach(pass::emit);
    return pass.rewrite.finish();
  }

  private static boolean shrinks(Node node, Uses uses) {
    return switch (node.op()) {
      case Op.Reduce _, Op.Histogram _, Op.ArgMax _ ->
          isSmall(node.types()) || bytes(node.types()) * SHRINKS <= bytes(node.inputTypes());
      // A part of a sequence is better taken when the network comes to it, and what waits for others too.
      case Op.Slice _ -> uses.readers(node).stream().allMatch(reader -> isLookAt(node, reader));
      case Op.Map _, Op.Reshape _, Op.Concat _ -> isSmall(node.types());
      default -> false;
    };
  }

  /** Whether {@code reader} reduces {@code part} alone, beside a few numbers. */
  private static boolean isLookAt(Node part, Node reader) {
    return (reader.op() instanceof Op.Reduce || reader.op() instanceof Op.Histogram)
        && reader.inputs().stream().allMatch(input -> input.node() == part || isSmall(List.of(input.type())));
  }

  private static boolean isSmall(List<TensorType> types) {
    return bytes(types) <= FEW_BYTES;
  }

  private static long bytes(List<TensorType> types) {
    return types.stream().mapToLong(TensorType::bytes).sum();
  }

  private void emit(Node first) {
    Deque<Node> ready = new ArrayDeque<>(List.of(first));
    while (!ready.isEmpty()) {
      Node node = ready.removeFirst();
      if (!rewrite.knows(node)) {
        rewrite.copy(node);
        for (Node reader : waiting.getOrDefault(node, List.of())) {
          if (missing.merge(reader, -1, Integer::sum) == 0) {
            ready.addLast(reader);
          }
        }
      }
    }
  }
}
