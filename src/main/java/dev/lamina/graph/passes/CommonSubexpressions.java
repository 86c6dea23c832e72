package dev.lamina.graph.passes;

import dev.lamina.graph.Graph;
import dev.lamina.graph.Node;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Computes once what is asked for twice: the same operation on the same inputs. Random numbers included, for they
 * depend on nothing else.
 */
final class CommonSubexpressions {
  private record Key(Op op, List<Tensor> inputs) {}

  private CommonSubexpressions() {}

  static Graph apply(Graph graph) {
    Rewrite rewrite = new Rewrite(graph);
    Map<Key, List<Tensor>> known = new HashMap<>();
    for (Node node : graph.nodes()) {
      Key key = new Key(node.op(), rewrite.of(node.inputs()));
      rewrite.put(node, known.computeIfAbsent(key, _ -> rewrite.add(node, node.op(), key.inputs())));
    }
    return rewrite.finish();
  }
}
