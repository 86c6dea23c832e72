package dev.lamina.graph.passes;

import dev.lamina.graph.Graph;
import dev.lamina.graph.Node;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.tensor.TensorType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Computes a cross-entropy and its gradient together where a device can: both begin with the largest logit and the
 * exponentials of a row. The gradient comes earlier for it, before anything that reads the loss; so what it is
 * multiplied with must not depend on the loss.
 */
final class CrossEntropyFusion {
  private CrossEntropyFusion() {}

  static Graph apply(Graph graph, Support support) {
    Map<Node, Node> gradientOf = pairs(graph, support);
    if (gradientOf.isEmpty()) {
      return graph;
    }
    Rewrite rewrite = new Rewrite(graph);
    for (Node node : graph.nodes()) {
      Node gradient = gradientOf.get(node);
      if (gradient == null) {
        rewrite.copyWithInputs(node);
        continue;
      }
      gradient.inputs().forEach(input -> rewrite.copyWithInputs(input.node()));
      Op both = both(node);
      List<Tensor> results = rewrite.add(gradient, both, rewrite.of(gradient.inputs()));
      rewrite.put(node, results.subList(0, 1));
      rewrite.put(gradient, results.subList(1, 2));
    }
    return rewrite.finish();
  }

  private static Op both(Node loss) {
    return new Op.SoftmaxCrossEntropyWithGradient(((Op.SoftmaxCrossEntropy) loss.op()).labelSmoothing());
  }

  /** The gradient of each loss that has one. */
  private static Map<Node, Node> pairs(Graph graph, Support support) {
    Map<Node, Node> pairs = new HashMap<>();
    for (Node gradient : graph.nodes()) {
      if (!(gradient.op() instanceof Op.SoftmaxCrossEntropyGradient(double smoothing))) {
        continue;
      }
      List<TensorType> types = gradient.inputTypes();
      List<Tensor> ofBoth = gradient.inputs().subList(0, 2);
      graph.nodes().stream()
          .filter(node -> node.op().equals(new Op.SoftmaxCrossEntropy(smoothing)) && node.inputs().equals(ofBoth))
          .filter(loss -> !Uses.dependsOn(gradient.inputs().get(2).node(), loss) && support.runs(both(loss), types))
          .findFirst()
          .ifPresent(loss -> pairs.putIfAbsent(loss, gradient));
    }
    return pairs;
  }
}
