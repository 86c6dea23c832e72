package dev.lamina.train;

import dev.lamina.graph.Cost;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Node;
import dev.lamina.graph.Node.Phase;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One layer of a traced model that has no layers within it.
 *
 * @param path its name from the model down
 * @param output the last tensor that it added
 * @param parameters learned values
 * @param flops floating-point operations of its forward pass, for the traced batch
 */
public record LayerTrace(String path, Tensor output, long parameters, long flops) {

  /** The layers of the forward pass in {@code graph}, in the order in which they end. */
  static List<LayerTrace> of(Graph graph) {
    Map<String, List<Node>> byPath = new LinkedHashMap<>();
    for (Node node : graph.nodes()) {
      if (node.phase() == Phase.FORWARD && !node.layer().isEmpty()) {
        byPath.computeIfAbsent(node.layer(), _ -> new ArrayList<>()).add(node);
      }
    }
    List<LayerTrace> layers = new ArrayList<>();
    byPath.forEach((path, nodes) -> {
      long parameters = 0;
      long flops = 0;
      Tensor output = null;
      for (Node node : nodes) {
        if (node.op() instanceof Op.Read(Variable variable)) {
          parameters += variable.kind() == Variable.Kind.WEIGHT ? variable.type().shape().size() : 0;
        } else {
          flops += Cost.of(node.op(), node.inputTypes()).flops();
          output = updatesStatistic(graph, node) ? output : graph.tensor(node, 0);
        }
      }
      if (output != null) {
        layers.add(new LayerTrace(path, output, parameters, flops));
      }
    });
    return layers;
  }

  private static boolean updatesStatistic(Graph graph, Node node) {
    return graph.assigns().containsValue(graph.tensor(node, 0));
  }
}
