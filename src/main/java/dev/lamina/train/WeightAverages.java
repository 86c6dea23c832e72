package dev.lamina.train;

import static dev.lamina.graph.Exprs.input;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.nn.Parameters.Declaration;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The averages of a model's weights, and of the statistics that follow its batches: variables beside them, called
 * {@code average.} and as they are. Programs that judge and predict read them instead.
 */
final class WeightAverages {
  /** How many models are in a mean; for {@link dev.lamina.optim.WeightAveraging.Swa}. */
  static final Variable COUNT = new Variable("average.models", TensorType.of(DType.I32), Variable.Kind.COUNTER);

  /** All of the way ends where it leads, whatever rounding makes of the sum. */
  private static final Expr MOVED =
      Exprs.select(
          Relation.LT,
          input(2),
          Exprs.constant(1),
          Exprs.add(input(0), Exprs.mul(input(2), Exprs.sub(input(1), input(0)))),
          input(1));

  private final Map<Variable, Variable> averages = new LinkedHashMap<>();
  private final List<Variable> statistics = new ArrayList<>();

  /** None. */
  WeightAverages() {}

  /**
   * Of all weights, and of statistics that training changes.
   *
   * @param assigned what a pass of training gives another value
   */
  WeightAverages(Collection<Declaration> declarations, Set<Variable> assigned) {
    for (Declaration declaration : declarations) {
      Variable variable = declaration.variable();
      if (variable.kind() == Variable.Kind.WEIGHT || assigned.contains(variable)) {
        averages.put(variable, of(variable));
      }
      if (variable.kind() == Variable.Kind.STATISTIC && assigned.contains(variable)) {
        statistics.add(variable);
      }
    }
  }

  /** The average beside {@code variable}, packed if that is. */
  private static Variable of(Variable variable) {
    return new Variable(
        "average." + variable.name(),
        variable.type(),
        Variable.Kind.SLOT,
        variable.members().stream().map(WeightAverages::of).toList());
  }

  /** Each variable with its average; empty if there are none. */
  Map<Variable, Variable> all() {
    return averages;
  }

  /** The statistics among them, as training has them. */
  List<Variable> statistics() {
    return statistics;
  }

  /** Where the value of {@code variable} is for those who judge and predict. */
  Variable read(Variable variable) {
    return averages.getOrDefault(variable, variable);
  }

  /**
   * Moves the averages of {@code packs} and statistics to their next values in {@code graph}, or else their values, by
   * {@code share} of the way.
   *
   * @param share a scalar
   * @return the averages, packed ones first
   */
  List<Variable> move(Graph graph, Collection<Variable> packs, Tensor share) {
    List<Variable> moved = new ArrayList<>(packs);
    moved.addAll(statistics);
    return moved.stream()
        .map(variable -> {
          Variable average = of(variable);
          Tensor assigned = graph.assigns().get(variable);
          Tensor now = assigned == null ? graph.read(variable) : assigned;
          graph.assign(average, graph.read(average).map(MOVED, now, share));
          return average;
        })
        .toList();
  }
}
