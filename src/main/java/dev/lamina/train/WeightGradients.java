package dev.lamina.train;

import dev.lamina.graph.Gradients;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * The gradients of a loss.
 *
 * @param weights of each weight; one that was read twice has the sum
 * @param others of the other tensors that were asked for, in their order
 */
record WeightGradients(SequencedMap<Variable, Tensor> weights, List<Tensor> others) {

  /** With respect to all weights that {@code graph} reads, and {@code others}. */
  static WeightGradients of(Graph graph, Tensor loss, List<Tensor> others) {
    List<Variable> variables = new ArrayList<>();
    List<Tensor> wanted = new ArrayList<>();
    graph
        .nodes()
        .forEach(node -> {
          if (node.op() instanceof Op.Read(Variable variable) && variable.kind() == Variable.Kind.WEIGHT) {
            variables.add(variable);
            wanted.add(graph.tensor(node, 0));
          }
        });
    wanted.addAll(others);
    List<Tensor> gradients = Gradients.of(loss, wanted);
    SequencedMap<Variable, Tensor> sums = new LinkedHashMap<>();
    for (int i = 0; i < variables.size(); i++) {
      sums.merge(variables.get(i), gradients.get(i), Tensor::plus);
    }
    return new WeightGradients(sums, gradients.subList(variables.size(), gradients.size()));
  }
}
