package dev.lamina.study;

import static dev.lamina.graph.Exprs.input;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Gradients;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Op;
import dev.lamina.graph.Op.ReduceKind;
import dev.lamina.graph.RandomStream;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.study.Panel.Curve;
import dev.lamina.study.Panel.Scale;
import dev.lamina.study.Panel.Style;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Inputs that are all positive make gradients of one sign, and the path to the optimum zig-zags. */
final class ZeroCentred implements Study {
  /** Begins at (0, 0) and has arrived within this distance of w* = (1, −1), which is √2 away. */
  private static final double NEAR = 0.05;

  private static final double STRAIGHT = Math.sqrt(2) - NEAR;
  private static final int MOST_STEPS = 2000;

  /** Powers of √2. */
  private static final double[] RATES = {0.25, 0.35, 0.5, 0.71, 1, 1.41, 2, 2.83, 4, 5.66, 8, 11.3, 16};

  private static final int[] BATCHES = {1, 4, 16, 64};

  private static final String SHARE = "share";

  /**
   * What many walks with one rate came to, on average.
   *
   * @param steps until arrival; the most there can be where a walk did not arrive
   * @param path length in multiples of the straight way
   * @param sameSign share of gradients whose two entries have one sign
   */
  private record Walks(double rate, double arrived, double steps, double path, double sameSign) {}

  @Override
  public String name() {
    return "zero-centred";
  }

  @Override
  public String claim() {
    return "inputs in (0,1)^2 give per-example gradients of one sign only, so the way to w* = (1,-1) zig-zags; centred"
        + " inputs do not";
  }

  @Override
  public String source() {
    return "CS231n notes, neural networks part 1: sigmoid outputs are not zero-centred; LeCun et al. 1998, section 4.3";
  }

  @Override
  public String duration() {
    return "20 s";
  }

  @Override
  public Findings run(Setting setting) {
    int seeds = setting.sized(200, 50);
    Table grid =
        new Table(
                "rates",
                "Every rate that was tried, mean of " + seeds + " walks",
                "inputs",
                "batch",
                "rate",
                "arrived in %",
                "steps",
                "path / straight way")
            .detail();
    Table table =
        new Table(
            "zero-centred",
            "From (0,0) to (1,-1), at the rate with the fewest steps",
            "inputs",
            "batch",
            "rate",
            "steps",
            "path / straight way",
            "gradients of one sign in %");
    List<Panel> panels = new ArrayList<>();
    List<Walks> positive = new ArrayList<>();
    List<Walks> centred = new ArrayList<>();
    for (int batch : BATCHES) {
      Panel panel = Panel.of("Batches of " + batch, "first weight", "second weight", Scale.LINEAR);
      for (boolean isCentred : new boolean[] {false, true}) {
        String word = isCentred ? "(-1/2,1/2)^2" : "(0,1)^2";
        setting.doing("inputs in %s, batch %d", word, batch);
        List<Walks> all = walks(setting, isCentred, batch, seeds);
        all.forEach(w -> grid.row(word, batch, w.rate, 100 * w.arrived, w.steps, w.path));
        Walks best = best(all);
        (isCentred ? centred : positive).add(best);
        table.row(word, batch, best.rate, best.steps, best.path, 100 * best.sameSign);
        double[][] path = path(setting, isCentred, batch, best.rate);
        panel = panel.with(new Curve(word, path[0], path[1], Style.LINE));
      }
      panels.add(panel);
    }
    return new Findings(
        List.of(table, grid),
        List.of(new Figure("paths", 2, panels)),
        verdicts(positive, centred),
        List.of(
            "a linear unit on y = w*.x without noise, squared loss, SGD; a walk has arrived within " + NEAR + " of w*",
            "tuning budget: "
                + RATES.length
                + " rates for each row, "
                + seeds
                + " walks each, at most "
                + MOST_STEPS
                + " steps; the rate with the fewest steps is taken, which is not the one with the shortest path"));
  }

  private static Walks best(List<Walks> all) {
    return all.stream().min((a, b) -> Double.compare(a.steps, b.steps)).orElseThrow();
  }

  private static List<Verdict> verdicts(List<Walks> positive, List<Walks> centred) {
    Walks p = positive.getFirst();
    Walks c = centred.getFirst();
    Walks soft = positive.getLast();
    return List.of(
        Verdict.that(
            "per-example gradients of inputs in (0,1)^2 have one sign",
            Numbers.percent(p.sameSign),
            "100 %",
            p.sameSign == 1),
        new Verdict(
            "per-example gradients of centred inputs have one sign half of the time",
            Numbers.percent(c.sameSign),
            "about 50 %",
            "5 points",
            Math.abs(c.sameSign - 0.5) <= 0.05),
        Verdict.that(
            "the path from inputs in (0,1)^2 is at least twice as long as from centred ones",
            Numbers.text(p.path / c.path) + " times",
            "at least 2 times",
            p.path >= 2 * c.path),
        Verdict.that(
            "mini-batches soften it: a path with batches of "
                + BATCHES[BATCHES.length - 1]
                + " is shorter, and fewer gradients have one sign",
            Numbers.text(soft.path)
                + " instead of "
                + Numbers.text(p.path)
                + " straight ways, "
                + Numbers.percent(soft.sameSign)
                + " instead of "
                + Numbers.percent(p.sameSign),
            "less",
            soft.path < p.path && soft.sameSign < p.sameSign));
  }

  /** All walks of one kind at once: a walker for each rate and seed. */
  private static List<Walks> walks(Setting setting, boolean centred, int batch, int seeds) {
    int walkers = RATES.length * seeds;
    try (Computation computation = computation(setting, centred, batch, walkers);
        Arena arena = Arena.ofConfined()) {
      HostTensor rates = HostTensor.allocate(arena, TensorType.f32(walkers, 1));
      for (int i = 0; i < walkers; i++) {
        rates.set(i, RATES[i / seeds]);
      }
      computation.stage("rate", rates);
      for (int step = 0; step < MOST_STEPS; step++) {
        computation.run();
      }
      double[] arrived = computation.read(walkerVariable("arrived", walkers));
      double[] steps = computation.read(walkerVariable("steps", walkers));
      double[] path = computation.read(walkerVariable("path", walkers));
      double[] same = computation.read(walkerVariable(SHARE, walkers));
      List<Walks> walks = new ArrayList<>();
      for (int r = 0; r < RATES.length; r++) {
        int from = r * seeds;
        int to = from + seeds;
        double allSteps = Arrays.stream(steps, from, to).sum();
        walks.add(
            new Walks(
                RATES[r],
                Arrays.stream(arrived, from, to).average().orElseThrow(),
                allSteps / seeds,
                Arrays.stream(path, from, to).average().orElseThrow() / STRAIGHT,
                Arrays.stream(same, from, to).sum() / allSteps));
      }
      return walks;
    }
  }

  /** One walk, point by point: abscissas and ordinates. */
  private static double[][] path(Setting setting, boolean centred, int batch, double rate) {
    try (Computation computation = computation(setting, centred, batch, 1)) {
      computation.stage("rate", TensorType.f32(1, 1), rate);
      List<double[]> points = new ArrayList<>(List.of(new double[2]));
      for (int step = 0; step < MOST_STEPS; step++) {
        computation.run();
        points.add(computation.read(weights(1)));
        if (computation.read(walkerVariable("arrived", 1))[0] > 0) {
          break;
        }
      }
      return new double[][] {
        points.stream().mapToDouble(p -> p[0]).toArray(), points.stream().mapToDouble(p -> p[1]).toArray()
      };
    }
  }

  private static Variable weights(int walkers) {
    return new Variable("weights", TensorType.f32(walkers, 2), Variable.Kind.WEIGHT);
  }

  private static Variable walkerVariable(String name, int walkers) {
    return new Variable(name, TensorType.f32(walkers, 1), Variable.Kind.METRIC);
  }

  /** A step of all walkers, with examples drawn on the device: who has arrived stays. */
  private static Computation computation(Setting setting, boolean centred, int batch, int walkers) {
    Graph graph = new Graph();
    Variable counter = new Variable("step", TensorType.of(DType.I32), Variable.Kind.COUNTER);
    Tensor step = graph.read(counter);
    graph.assign(counter, step.plus(1));
    Tensor w = graph.read(weights(walkers));
    RandomStream stream = new RandomStream(setting.seed(), RandomStream.hash(centred + "." + batch), 0);
    Expr draw = Exprs.sub(new Expr.Uniform(stream), centred ? 0.5 : 0);
    Tensor x = graph.one(new Op.Map(draw, DType.F32, Shape.of(batch, walkers, 2)), step);
    Expr optimum = Exprs.select(Relation.EQ, new Expr.Index(1), Exprs.constant(0), one(), Exprs.constant(-1));
    Tensor off = w.minus(graph.one(new Op.Map(optimum, DType.F32, Shape.of(walkers, 2))));
    Tensor error = x.times(off).sum(2); // [batch][walker]
    Tensor loss = error.times(error).sum().times(0.5 / batch);
    Tensor gradient = Gradients.of(loss, List.of(w)).getFirst();
    Tensor rate = graph.input("rate", TensorType.f32(walkers, 1));
    Variable arrivedBefore = walkerVariable("arrived", walkers);
    Tensor going = graph.read(arrivedBefore).map(a -> Exprs.sub(1, a));
    Tensor change = gradient.times(rate).times(going);
    Tensor next = w.minus(change);
    graph.assign(weights(walkers), next);
    Tensor distance = length(off.minus(change), walkers);
    Expr near = Exprs.select(Relation.LE, input(0), Exprs.constant(NEAR), one(), Exprs.constant(0));
    graph.assign(arrivedBefore, distance.map(near));
    add(graph, "steps", going);
    add(graph, "path", length(change, walkers));
    Tensor product =
        gradient.slice(1, 0, 1).times(gradient.slice(1, 1, 2)).map(p -> Exprs.ifPositive(p, one(), Exprs.constant(0)));
    add(graph, SHARE, product.times(going));
    return new Computation(setting.device(), graph);
  }

  private static Expr one() {
    return Exprs.constant(1);
  }

  private static void add(Graph graph, String name, Tensor value) {
    Variable sum = walkerVariable(name, value.shape().dim(0));
    graph.assign(sum, graph.read(sum).plus(value));
  }

  private static Tensor length(Tensor vectors, int walkers) {
    return vectors
        .reduce(ReduceKind.SUM, Exprs.mul(input(0), input(0)), DType.F32, new int[] {1})
        .map(Exprs::sqrt)
        .reshape(walkers, 1);
  }
}
