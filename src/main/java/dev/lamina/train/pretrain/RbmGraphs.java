package dev.lamina.train.pretrain;

import static dev.lamina.graph.Exprs.input;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Op;
import dev.lamina.graph.Op.ReduceKind;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.nn.Parameters;
import dev.lamina.nn.Scope;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;

/** The three programs of a restricted Boltzmann machine, over one set of variables: to learn, to judge, to measure. */
final class RbmGraphs {
  private static final Variable STEPS = new Variable("rbm.steps", TensorType.of(DType.I32), Variable.Kind.COUNTER);

  /** Squared differences between data and reconstruction, summed over units and examples. */
  static final Variable ERROR = sum("rbm.error");

  /** Free energies, summed over examples. */
  static final Variable ENERGY = sum("rbm.free_energy");

  /** Examples in the sum of errors. */
  static final Variable LEARNED = sum("rbm.learned");

  /** Examples in the sum of free energies. */
  static final Variable JUDGED = sum("rbm.judged");

  /** Examples in the sums of units. */
  static final Variable MEASURED = sum("rbm.measured");

  private final RbmSpec spec;
  private final Parameters parameters = new Parameters();
  private final int visible;
  private final Variable weight;
  private final Variable bias;
  private final Variable visibleBias;
  private final Variable unitSums;
  private final Variable unitSquares;
  private final Variable low;
  private final Variable high;
  private final List<Variable> slots = new ArrayList<>();

  RbmGraphs(RbmSpec spec) {
    this.spec = spec;
    Tensor v = visible(new Graph(), 1);
    visible = v.shape().dim(1);
    weight = own("weight", Shape.of(spec.hidden(), visible));
    bias = own("bias", Shape.of(spec.hidden()));
    visibleBias = own("visible_bias", Shape.of(visible));
    unitSums = new Variable("rbm.units", TensorType.of(DType.F64, visible), Variable.Kind.METRIC);
    unitSquares = new Variable("rbm.unit_squares", unitSums.type(), Variable.Kind.METRIC);
    low = new Variable("rbm.low", TensorType.of(spec.dtype()), Variable.Kind.METRIC);
    high = new Variable("rbm.high", TensorType.of(spec.dtype()), Variable.Kind.METRIC);
  }

  private static Variable sum(String name) {
    return new Variable(name, TensorType.of(DType.F64), Variable.Kind.METRIC);
  }

  private Variable own(String what, Shape shape) {
    return new Variable(spec.name() + "." + what, new TensorType(shape, spec.dtype()), Variable.Kind.WEIGHT);
  }

  int visible() {
    return visible;
  }

  Variable weight() {
    return weight;
  }

  Variable bias() {
    return bias;
  }

  Variable visibleBias() {
    return visibleBias;
  }

  /** The sum of each visible unit over the examples that were measured, F64 [visible]. */
  Variable unitSums() {
    return unitSums;
  }

  /** The sum of the squares of each visible unit, F64 [visible]. */
  Variable unitSquares() {
    return unitSquares;
  }

  /** The smallest value of a visible unit that was measured. */
  Variable low() {
    return low;
  }

  /** The largest. */
  Variable high() {
    return high;
  }

  /** What the stem declared. */
  Parameters parameters() {
    return parameters;
  }

  /** All variables; those of {@link #learning} only once it was built. */
  List<Variable> variables() {
    List<Variable> all = new ArrayList<>(List.of(weight, bias, visibleBias, STEPS));
    all.addAll(List.of(ERROR, LEARNED, ENERGY, JUDGED, unitSums, unitSquares, MEASURED, low, high));
    all.addAll(slots);
    parameters.all().stream().map(Parameters.Declaration::variable).filter(v -> !all.contains(v)).forEach(all::add);
    return all;
  }

  private Tensor visible(Graph graph, int batch) {
    Tensor inputs = graph.input("images", spec.example().batched(batch));
    Scope scope = Scope.root(graph, Scope.Mode.EVALUATION, parameters, spec.dtype(), spec.seed(), graph.read(STEPS));
    Tensor units = spec.stem().visible(inputs, scope);
    if (units.shape().rank() != 2 || units.shape().dim(0) != batch) {
      throw new IllegalArgumentException(
          spec.name() + ": visible units are [n, visible], got " + units.shape() + " for n = " + batch);
    }
    return units.cast(spec.dtype());
  }

  private Rbm machine(Graph graph) {
    return new Rbm(spec.units(), graph.read(weight), graph.read(visibleBias), graph.read(bias));
  }

  /**
   * One update from inputs {@code images} at {@code rate} with {@code momentum}: {@code v ← momentum·v + rate·g; θ ← θ
   * + v} (Hinton 2010, section 9), where weight decay is part of a weight's g.
   */
  Graph learning() {
    slots.clear();
    Graph graph = new Graph();
    Tensor v = visible(graph, spec.batch());
    Tensor steps = graph.read(STEPS);
    var outcome = spec.learning().of(machine(graph), v, new Noise(spec.seed(), spec.name(), steps));
    TensorType scalar = TensorType.of(spec.dtype());
    Tensor rate = graph.input("rate", scalar);
    Tensor momentum = graph.input("momentum", scalar);
    ascend(graph, weight, outcome.ascent().weight(), rate, momentum, spec.weightDecay());
    ascend(graph, bias, outcome.ascent().hidden(), rate, momentum, 0);
    ascend(graph, visibleBias, outcome.ascent().visible(), rate, momentum, 0);
    graph.assign(STEPS, steps.plus(1));
    Expr difference = Exprs.sub(input(0), input(1));
    Expr square = Exprs.mul(difference, difference);
    add(graph, ERROR, v.reduce(ReduceKind.SUM, square, DType.F64, new int[0], outcome.reconstruction()));
    add(graph, LEARNED, graph.constant(LEARNED.type(), spec.batch()));
    return graph;
  }

  private void ascend(Graph graph, Variable variable, Tensor gradient, Tensor rate, Tensor momentum, double decay) {
    Variable velocity = new Variable(variable.name() + ".velocity", variable.type(), Variable.Kind.SLOT);
    slots.add(velocity);
    Tensor value = graph.read(variable);
    Expr decayed = decay == 0 ? input(1) : Exprs.sub(input(1), Exprs.mul(input(0), decay));
    Expr next = Exprs.add(Exprs.mul(input(4), input(2)), Exprs.mul(input(3), decayed));
    Op step =
        new Op.Map(
            List.of(Exprs.add(input(0), next), next), List.of(spec.dtype(), spec.dtype()), variable.type().shape());
    List<Tensor> results = graph.add(step, List.of(value, gradient, graph.read(velocity), rate, momentum));
    graph.assign(variable, results.get(0));
    graph.assign(velocity, results.get(1));
  }

  /** Adds the free energies of inputs {@code images}, each as often as its {@code weights} say: 1, or 0 for padding. */
  Graph judging() {
    Graph graph = new Graph();
    Tensor v = visible(graph, spec.evaluationBatch());
    Tensor weights = graph.input("weights", TensorType.f32(spec.evaluationBatch()));
    Expr counted = Exprs.mul(input(0), input(1));
    Tensor energies = machine(graph).freeEnergy(v);
    add(graph, ENERGY, energies.reduce(ReduceKind.SUM, counted, DType.F64, new int[0], weights));
    count(graph, JUDGED, weights);
    return graph;
  }

  /** Adds the values of visible units and their squares, and keeps the smallest and the largest. */
  Graph measuring() {
    Graph graph = new Graph();
    Tensor v = visible(graph, spec.evaluationBatch());
    Tensor weights = graph.input("weights", TensorType.f32(spec.evaluationBatch()));
    Tensor column = weights.reshape(spec.evaluationBatch(), 1);
    Expr counted = Exprs.mul(input(0), input(1));
    add(graph, unitSums, v.reduce(ReduceKind.SUM, counted, DType.F64, new int[] {0}, column));
    Expr squared = Exprs.mul(input(0), counted);
    add(graph, unitSquares, v.reduce(ReduceKind.SUM, squared, DType.F64, new int[] {0}, column));
    count(graph, MEASURED, weights);
    // Padding takes the value that is known already, which changes nothing.
    Expr known = Exprs.select(Relation.GT, input(1), Exprs.constant(0), input(0), input(2));
    for (Variable end : List.of(low, high)) {
      ReduceKind kind = end.equals(low) ? ReduceKind.MIN : ReduceKind.MAX;
      Tensor before = graph.read(end);
      Tensor found = v.reduce(kind, known, spec.dtype(), new int[0], column, before);
      graph.assign(end, end.equals(low) ? before.map(Exprs::min, found) : before.map(Exprs::max, found));
    }
    return graph;
  }

  private static void count(Graph graph, Variable examples, Tensor weights) {
    add(graph, examples, weights.reduce(ReduceKind.SUM, input(0), DType.F64, new int[0]));
  }

  private static void add(Graph graph, Variable sum, Tensor value) {
    graph.assign(sum, graph.read(sum).plus(value));
  }
}
