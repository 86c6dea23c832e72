package dev.lamina.study.experiments;

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
import dev.lamina.study.Computation;
import dev.lamina.study.ConfidenceInterval;
import dev.lamina.study.Figure;
import dev.lamina.study.Findings;
import dev.lamina.study.Numbers;
import dev.lamina.study.Panel;
import dev.lamina.study.Panel.Curve;
import dev.lamina.study.Panel.Scale;
import dev.lamina.study.Panel.Style;
import dev.lamina.study.Setting;
import dev.lamina.study.Study;
import dev.lamina.study.Table;
import dev.lamina.study.Verdict;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Inputs that are all positive make gradients of one sign, and the path to the optimum zig-zags. */
final class ZeroCentred {
  static final Study STUDY =
      new Study(
              "zero-centred",
              "inputs in (0,1)^2 give per-example gradients of one sign only, so the way to w* = (1,-1) zig-zags;"
                  + " centred inputs do not",
              "CS231n notes, neural networks part 1: sigmoid outputs are not zero-centred; LeCun et al. 1998, section"
                  + " 4.3",
              "30 s",
              ZeroCentred::run)
          .withoutData();

  /** Begins at (0, 0) and has arrived within this distance of w* = (1, −1), which is √2 away. */
  private static final double NEAR = 0.05;

  private static final double STRAIGHT = Math.sqrt(2) - NEAR;

  /** At the rates that are taken a walk has some 10 to 25 steps; one that has not arrived by then never will. */
  private static final int MOST_STEPS = 300;

  /**
   * Rates lie 2^(1/8) apart. With inputs in (0,1)² steps are fewest near 1.65, where the path takes 4.6 straight ways;
   * at 1.41 it is 3.7 and at 2 it is 8.1 (measured), so that powers of √2 are too coarse to say how long it is.
   */
  private static final double[] RATES =
      IntStream.rangeClosed(0, 40).mapToDouble(i -> 0.5 * Math.pow(2, i / 8.0)).toArray();

  private static final int HALF = 8;
  private static final int COARSE = 4;

  /** The whole experiment, tuning included, is done so many times. */
  private static final int REPETITIONS = 10;

  private static final int[] BATCHES = {1, 4, 16, 64};

  /** Walks of a repetition by rate, and as many others at the rate that was chosen; larger batches scatter less. */
  private static final int[] WALKS = {400, 200, 100, 50};

  private static final double LEAST_RATIO = 2;

  private static final String OPPOSITE = "opposite";

  /**
   * What many walks with one rate came to, on average.
   *
   * @param arrived share of walks
   * @param steps until arrival; the most there can be where a walk did not arrive
   * @param path length in multiples of the straight way
   * @param sameSign share of gradients whose two entries are not of opposite signs
   */
  record Walks(double rate, double arrived, double steps, double path, double sameSign) {
    static Walks mean(List<Walks> all) {
      return new Walks(
          Numbers.mean(all, Walks::rate),
          Numbers.mean(all, Walks::arrived),
          Numbers.mean(all, Walks::steps),
          Numbers.mean(all, Walks::path),
          Numbers.mean(all, Walks::sameSign));
    }
  }

  private ZeroCentred() {}

  private static Findings run(Setting setting) {
    int repetitions = setting.sized(REPETITIONS, 4);
    Table grid =
        setting
            .table(
                "rates",
                "Every rate that was tried",
                List.of("inputs", "batch", "rate", "arrived in %", "steps", "path / straight way"))
            .detail();
    Table table =
        setting.table(
            "zero-centred",
            "From (0,0) to (1,-1), at the rate with the fewest steps; mean of " + repetitions + " repetitions",
            List.of(
                "inputs",
                "batch",
                "rate",
                "steps",
                "path / straight way",
                "at half the rate",
                "gradients of one sign in %"));
    List<Panel> panels = new ArrayList<>();
    List<List<Walks>> positive = new ArrayList<>();
    List<List<Walks>> centred = new ArrayList<>();
    double[] coarse = new double[2];
    for (int b = 0; b < BATCHES.length; b++) {
      int batch = BATCHES[b];
      Panel panel = Panel.of("Batches of " + batch, "first weight", "second weight", Scale.LINEAR);
      for (boolean isCentred : new boolean[] {false, true}) {
        String word = isCentred ? "(-1/2,1/2)^2" : "(0,1)^2";
        setting.doing("inputs in %s, batch %d", word, batch);
        List<List<Walks>> tried = tried(setting, isCentred, batch, repetitions, WALKS[b]);
        for (int r = 0; r < RATES.length; r++) {
          int rate = r;
          Walks all = Walks.mean(tried.stream().map(repetition -> repetition.get(rate)).toList());
          grid.row(word, batch, all.rate, 100 * all.arrived, all.steps, all.path);
        }
        double[] rates = Numbers.each(tried, ZeroCentred::best);
        List<Walks> chosen = walks(setting, isCentred, batch, "measuring", rates, WALKS[b]);
        (isCentred ? centred : positive).add(chosen);
        if (batch == 1) {
          coarse[isCentred ? 1 : 0] = Numbers.mean(tried, ZeroCentred::pathAtCoarse);
        }
        Walks mean = Walks.mean(chosen);
        double atHalf = Numbers.mean(tried, ZeroCentred::pathAtHalf);
        table.row(word, batch, mean.rate, mean.steps, mean.path, atHalf, 100 * mean.sameSign);
        double[][] path = path(setting, isCentred, batch, rates[0]);
        panel = panel.with(new Curve(word, path[0], path[1], Style.LINE));
      }
      panels.add(panel);
    }
    return new Findings(
        List.of(table, grid),
        List.of(new Figure("paths", 2, panels)),
        verdicts(positive.getFirst(), centred.getFirst(), positive.getLast()),
        List.of(
            "a linear unit on y = w*.x without noise, squared loss, SGD; a walk has arrived within " + NEAR + " of w*",
            ("tuning budget: %s rates for each row, 2^(1/8) apart, %s walks each with single examples, fewer"
                    + " with batches, at most %s steps; the rate with the fewest steps is taken, which is not the one"
                    + " with the shortest path, and other walks measure it; all of that in each repetition")
                .formatted(RATES.length, WALKS[0], MOST_STEPS),
            "how long the path is depends on the rate more than how many steps it has: at half of each rate both are"
                + " shorter, and had only rates been tried that lie 2^(1/2) apart, the ratio would be "
                + Numbers.text(coarse[0] / coarse[1])));
  }

  /** The rate with the fewest steps. */
  static double best(List<Walks> all) {
    return all.stream().min(Comparator.comparingDouble(Walks::steps)).orElseThrow().rate;
  }

  /** The path at the rate with the fewest steps among every fourth. */
  private static double pathAtCoarse(List<Walks> all) {
    double best = best(IntStream.range(0, all.size()).filter(i -> i % COARSE == 0).mapToObj(all::get).toList());
    return all.stream().filter(walks -> walks.rate == best).findFirst().orElseThrow().path;
  }

  private static double pathAtHalf(List<Walks> all) {
    double best = best(all);
    int place = IntStream.range(0, all.size()).filter(i -> all.get(i).rate == best).findFirst().orElseThrow();
    return all.get(Math.max(0, place - HALF)).path;
  }

  /**
   * Judges walks at chosen rates, one for each repetition.
   *
   * @param positive with inputs in (0,1)², one example at a time
   * @param centred with centred inputs, likewise
   * @param soft with inputs in (0,1)² and the largest batches
   */
  static List<Verdict> verdicts(List<Walks> positive, List<Walks> centred, List<Walks> soft) {
    ConfidenceInterval ratio =
        ConfidenceInterval.ofRatio(Numbers.each(positive, Walks::path), Numbers.each(centred, Walks::path));
    Walks p = Walks.mean(positive);
    Walks c = Walks.mean(centred);
    Walks s = Walks.mean(soft);
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
        new Verdict(
            "the path from inputs in (0,1)^2 is at least twice as long as from centred ones",
            ratio.text() + " times",
            "at least 2 times",
            "the whole interval",
            ratio.low() >= LEAST_RATIO),
        Verdict.that(
            "mini-batches soften it: a path with batches of "
                + BATCHES[BATCHES.length - 1]
                + " is shorter, and fewer gradients have one sign",
            "%s instead of %s straight ways, %s instead of %s"
                .formatted(
                    Numbers.text(s.path),
                    Numbers.text(p.path),
                    Numbers.percent(s.sameSign),
                    Numbers.percent(p.sameSign)),
            "less",
            s.path < p.path && s.sameSign < p.sameSign));
  }

  /** Walks at every rate, [repetition][rate]. */
  private static List<List<Walks>> tried(Setting setting, boolean centred, int batch, int repetitions, int walks) {
    double[] rates = new double[repetitions * RATES.length];
    Arrays.setAll(rates, i -> RATES[i % RATES.length]);
    List<Walks> all = walks(setting, centred, batch, "tuning", rates, walks);
    return IntStream.range(0, repetitions)
        .mapToObj(i -> all.subList(i * RATES.length, (i + 1) * RATES.length))
        .toList();
  }

  /** All walks of one kind at once, {@code each} of them for each of {@code rates}. */
  private static List<Walks> walks(
      Setting setting, boolean centred, int batch, String purpose, double[] rates, int each) {
    int walkers = rates.length * each;
    double[] staged = new double[walkers];
    Arrays.setAll(staged, walker -> rates[walker / each]);
    try (Computation computation = computation(setting, centred, batch, purpose, walkers)) {
      computation.stage("rate", TensorType.f32(walkers, 1), staged);
      for (int step = 0; step < MOST_STEPS; step++) {
        computation.run();
      }
      double[] arrived = computation.read(walkerVariable("arrived", walkers));
      double[] steps = computation.read(walkerVariable("steps", walkers));
      double[] path = computation.read(walkerVariable("path", walkers));
      double[] opposite = computation.read(walkerVariable(OPPOSITE, walkers));
      List<Walks> walks = new ArrayList<>();
      for (int r = 0; r < rates.length; r++) {
        int from = r * each;
        int to = from + each;
        double allSteps = Arrays.stream(steps, from, to).sum();
        walks.add(
            new Walks(
                rates[r],
                Arrays.stream(arrived, from, to).average().orElseThrow(),
                allSteps / each,
                Arrays.stream(path, from, to).average().orElseThrow() / STRAIGHT,
                1 - Arrays.stream(opposite, from, to).sum() / allSteps));
      }
      return walks;
    }
  }

  /** One walk, point by point: abscissas and ordinates. */
  private static double[][] path(Setting setting, boolean centred, int batch, double rate) {
    try (Computation computation = computation(setting, centred, batch, "drawing", 1)) {
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
  private static Computation computation(Setting setting, boolean centred, int batch, String purpose, int walkers) {
    Graph graph = new Graph();
    Variable counter = new Variable("step", TensorType.of(DType.I32), Variable.Kind.COUNTER);
    Tensor step = graph.read(counter);
    graph.assign(counter, step.plus(1));
    Tensor w = graph.read(weights(walkers));
    RandomStream stream =
        new RandomStream(setting.seed(0), RandomStream.hash(centred + "." + batch + "." + purpose), 0);
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
    Tensor isOpposite =
        gradient
            .slice(1, 0, 1)
            .times(gradient.slice(1, 1, 2))
            .map(p -> Exprs.ifPositive(Exprs.neg(p), one(), Exprs.constant(0)));
    add(graph, OPPOSITE, isOpposite.times(going));
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
