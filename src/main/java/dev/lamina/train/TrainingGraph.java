package dev.lamina.train;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Node.Phase;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.loss.Loss;
import dev.lamina.nn.Parameters.Declaration;
import dev.lamina.optim.Regularisation;
import dev.lamina.optim.Update;
import dev.lamina.optim.WeightAveraging;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * The graph of one training pass: forward, loss, backward, clipping, update and metrics, with the guard that keeps the
 * state as it was when the loss or a gradient is not finite.
 *
 * <p>When gradients are accumulated there are two such graphs: one that adds to the sum, and one, for the last pass,
 * that updates.
 */
final class TrainingGraph {
  /** Updates done. */
  static final Variable STEPS = new Variable("training.steps", TensorType.of(DType.I32), Variable.Kind.COUNTER);

  /**
   * The first update that was not finite, counted from 0; −1 while there is none. Once set, no state changes any more.
   */
  static final Variable BAD_STEP = new Variable("training.bad_step", TensorType.of(DType.I32), Variable.Kind.COUNTER);

  private final ModelTrace trace;
  private final ModelTrace.Pass pass;
  private final Graph graph;
  private final List<Variable> variables = new ArrayList<>();
  private final Set<Variable> sums = new HashSet<>();

  private TrainingGraph(ModelTrace trace) {
    this.trace = trace;
    this.pass = trace.training();
    this.graph = pass.graph();
  }

  /**
   * A graph and the variables that it brings besides those of the layers.
   *
   * @param graph what is computed
   * @param variables packed weights, slots, counters, metrics
   */
  record Built(Graph graph, List<Variable> variables) {}

  /** The graph of a pass that ends with an update. */
  static Built updating(ModelTrace trace) {
    return new TrainingGraph(trace).build(true);
  }

  /** The graph of a pass that only adds its gradients to the sum. */
  static Built accumulating(ModelTrace trace) {
    return new TrainingGraph(trace).build(false);
  }

  private Built build(boolean updating) {
    ModelSpec spec = trace.spec();
    Tensor perExample = pass.perExample();
    Tensor loss = perExample.mean();
    graph.output("loss", loss);
    graph.within("", Phase.UPDATE, () -> count(perExample));
    LossScale scale = spec.precision() == Precision.FP16 ? LossScale.read(graph) : null;
    Map<Variable, Tensor> gradients =
        WeightGradients.of(graph, scale == null ? loss : scale.lifted(loss), List.of()).weights();
    graph.within(
        "",
        Phase.UPDATE,
        () -> {
          Tensor squares = update(gradients, scale, updating);
          if (updating) {
            graph.assign(STEPS, graph.read(STEPS).plus(1));
          }
          graph.assign(ModelTrace.PASSES, graph.read(ModelTrace.PASSES).plus(1));
          guard(loss, squares, scale, updating);
        });
    variables.addAll(List.of(STEPS, BAD_STEP, ModelTrace.PASSES));
    if (scale != null) {
      variables.addAll(LossScale.VARIABLES);
    }
    return new Built(graph, List.copyOf(variables));
  }

  private void count(Tensor perExample) {
    Loss.Task task = trace.spec().loss().task();
    variables.addAll(Figures.TRAINING.accumulate(graph, task, pass.output(), pass.target(), perExample));
  }

  /** The weights, in one vector of those that decay and one of the others. */
  private static List<Variable> packs(ModelTrace trace) {
    List<Variable> packs = new ArrayList<>();
    for (boolean decayed : new boolean[] {true, false}) {
      List<Variable> members =
          trace.parameters().all().stream()
              .filter(d -> d.variable().kind() == Variable.Kind.WEIGHT && d.decayed() == decayed)
              .map(Declaration::variable)
              .toList();
      if (!members.isEmpty()) {
        packs.add(Variable.pack(decayed ? "decayed" : "undecayed", Variable.Kind.WEIGHT, members));
      }
    }
    return packs;
  }

  /**
   * Takes the weights as they are into their mean, for {@link WeightAveraging.Swa}: input {@code counts} is 1 for a
   * model that counts, or 0 where the mean has not begun, or is to begin anew, and is that model alone.
   */
  static Built averaging(ModelTrace trace) {
    Graph graph = new Graph();
    Tensor counts = graph.input("counts", TensorType.of(DType.I32));
    Tensor models = graph.read(WeightAverages.COUNT);
    Expr mean = Exprs.div(1, Exprs.add(Exprs.input(0), 1));
    Expr moved = Exprs.ifPositive(Exprs.input(1), mean, Exprs.constant(1));
    Tensor share = models.map(moved, trace.spec().precision().parameters(), counts);
    List<Variable> variables = new ArrayList<>(trace.averages().move(graph, packs(trace), share));
    Expr counted = Exprs.ifPositive(Exprs.input(1), Exprs.add(Exprs.input(0), 1), Exprs.constant(0));
    graph.assign(WeightAverages.COUNT, models.map(counted, counts));
    variables.add(WeightAverages.COUNT);
    return new Built(graph, variables);
  }

  /** Assigns the new weights, or the new sum of gradients; the sum of the squared gradients. */
  private Tensor update(Map<Variable, Tensor> gradients, LossScale scale, boolean updating) {
    ModelSpec spec = trace.spec();
    Map<Variable, Tensor> packs = new LinkedHashMap<>();
    for (Variable pack : packs(trace)) {
      Tensor gradient = packed(pack, gradients);
      packs.put(pack, accumulated(pack, scale == null ? gradient : scale.lowered(gradient), updating));
    }
    variables.addAll(packs.keySet());
    Tensor squares =
        packs.values().stream()
            .map(g -> g.reduce(Op.ReduceKind.SUM, Exprs.mul(Exprs.input(0), Exprs.input(0)), g.dtype(), new int[0]))
            .reduce(Tensor::plus)
            .orElseThrow(() -> new IllegalArgumentException("the model has no weights, so there is nothing to train"));
    if (!updating) {
      return squares;
    }
    Tensor rate = graph.input("rate", new TensorType(squares.shape(), spec.precision().parameters()));
    Tensor step = graph.read(STEPS).plus(1);
    Tensor norm = squares.map(Exprs::sqrt);
    packs.forEach((pack, gradient) -> {
      Tensor clipped = spec.clip() == null ? gradient : spec.clip().apply(gradient, norm);
      boolean decayed = pack.name().equals("decayed");
      Tensor weight = graph.read(pack);
      Regularisation regularisation = decayed ? spec.regularisation() : null;
      Tensor penalised = regularisation == null ? clipped : regularisation.penalised(clipped, weight);
      Update update = new Update("optimizer." + pack.name(), weight, penalised, rate, step, decayed);
      Tensor next = spec.optimizer().next(update);
      graph.assign(pack, regularisation == null ? next : regularisation.bounded(next, pack));
      variables.addAll(update.slots());
    });
    if (spec.averaging() instanceof WeightAveraging.Ema ema) {
      Tensor share = step.map(ema.share(Exprs.input(0)), spec.precision().parameters());
      variables.addAll(trace.averages().move(graph, packs.keySet(), share));
    }
    return squares;
  }

  private Tensor packed(Variable pack, Map<Variable, Tensor> gradients) {
    List<Long> offsets = IntStream.range(0, pack.members().size()).mapToObj(pack::memberOffset).toList();
    List<Tensor> parts = pack.members().stream().map(gradients::get).toList();
    return graph.add(new Op.Pack(offsets, pack.type().shape().dim(0)), parts).getFirst();
  }

  /** The sum so far with {@code gradient}; for an update the mean of all passes, and the sum begins anew. */
  private Tensor accumulated(Variable pack, Tensor gradient, boolean updating) {
    int passes = trace.spec().accumulate();
    if (passes == 1) {
      return gradient;
    }
    Variable sum = new Variable("accumulated." + pack.name(), pack.type(), Variable.Kind.SLOT);
    variables.add(sum);
    sums.add(sum);
    Tensor total = graph.read(sum).plus(gradient);
    graph.assign(sum, updating ? graph.constant(sum.type(), 0) : total);
    return updating ? total.times(1.0 / passes) : total;
  }

  /**
   * Keeps every variable as it is unless loss and gradients are finite now and were in all steps before. Gradients that
   * overflow under a loss scale that can be lowered only leave out the update: counters and metrics go on. So does the
   * sum of accumulated gradients, which carries what overflowed to the update that is left out for it, and begins anew
   * there; the scale stays as it is until then.
   */
  private void guard(Tensor loss, Tensor squares, LossScale scale, boolean updating) {
    Tensor bad = graph.read(BAD_STEP);
    Expr finite = Exprs.mul(Exprs.isFinite(Exprs.input(0)), Exprs.isFinite(Exprs.input(1)));
    Tensor updates = loss.map(unbroken(finite), squares, bad);
    Tensor ok = updates;
    if (scale != null) {
      Expr lowerable = Exprs.select(Relation.GT, Exprs.input(3), Exprs.constant(1), Exprs.constant(1), finite);
      ok = loss.map(unbroken(Exprs.mul(Exprs.isFinite(Exprs.input(0)), lowerable)), squares, bad, scale.scale());
      if (updating) {
        scale.advance(graph, loss.map(finite, squares));
      }
    }
    for (Map.Entry<Variable, Tensor> assign : new LinkedHashMap<>(graph.assigns()).entrySet()) {
      Expr kept = Exprs.ifPositive(Exprs.input(2), Exprs.input(0), Exprs.input(1));
      Variable variable = assign.getKey();
      boolean goesOn =
          variable.kind() == Variable.Kind.COUNTER
              || variable.kind() == Variable.Kind.METRIC
              || sums.contains(variable);
      Tensor condition = goesOn ? ok : updates;
      graph.reassign(variable, assign.getValue().map(kept, variable.type().dtype(), graph.read(variable), condition));
    }
    Expr first =
        Exprs.ifPositive(
            Exprs.input(1),
            Exprs.input(0),
            Exprs.select(Relation.LT, Exprs.input(0), Exprs.constant(0), Exprs.input(2), Exprs.input(0)));
    graph.assign(BAD_STEP, bad.map(first, ok, graph.read(STEPS)));
  }

  /** {@code now}, or 0 if a step before (input 2) was bad. */
  private static Expr unbroken(Expr now) {
    return Exprs.select(Relation.LT, Exprs.input(2), Exprs.constant(0), now, Exprs.constant(0));
  }
}
