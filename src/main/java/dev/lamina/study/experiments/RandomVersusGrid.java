package dev.lamina.study.experiments;

import static dev.lamina.graph.Exprs.input;

import dev.lamina.graph.Exprs;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Op.ReduceKind;
import dev.lamina.graph.Tensor;
import dev.lamina.nn.init.Initializer;
import dev.lamina.study.Computation;
import dev.lamina.study.Figure;
import dev.lamina.study.Findings;
import dev.lamina.study.Numbers;
import dev.lamina.study.Panel;
import dev.lamina.study.Panel.Scale;
import dev.lamina.study.Setting;
import dev.lamina.study.Study;
import dev.lamina.study.Table;
import dev.lamina.study.Verdict;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/** Random search against grid search where only some of the parameters matter. */
final class RandomVersusGrid {
  static final Study STUDY =
      new Study(
              "random-vs-grid",
              "with two of four parameters mattering, the best of n random trials beats that of a grid of n, for n <="
                  + " 16",
              "Bergstra and Bengio 2012, Random Search for Hyper-Parameter Optimization, sections 1 and 3",
              "5 s",
              RandomVersusGrid::run)
          .withoutData();

  private static final int PARAMETERS = 4;
  private static final int MATTERING = 2;
  private static final int SURFACES = 2000;
  private static final int BOOTSTRAPS = 1000;

  /** Widths of the hill along a parameter that matters, drawn evenly: narrow to wide in a range of 1. */
  private static final double NARROW = 0.1;

  private static final double WIDE = 0.4;

  private static final int[] TRIALS = IntStream.rangeClosed(1, 16).toArray();
  private static final int[] FEWER_TRIALS = {1, 2, 4, 8, 16};

  /** The share of bootstraps that counts as always. */
  private static final double SURE = 0.95;

  /** The smallest grid that has more than one level of every parameter. */
  private static final int WHOLE_GRID = 1 << PARAMETERS;

  private RandomVersusGrid() {}

  private static Findings run(Setting setting) {
    int surfaces = setting.sized(SURFACES, 400);
    RandomGenerator random = Initializer.generator(setting.seed(0), STUDY.name());
    double[][] centres = new double[surfaces][PARAMETERS];
    double[][] steepness = new double[surfaces][PARAMETERS];
    for (int s = 0; s < surfaces; s++) {
      for (int p = 0; p < MATTERING; p++) {
        centres[s][p] = random.nextDouble();
        double width = NARROW + (WIDE - NARROW) * random.nextDouble();
        steepness[s][p] = 0.5 / (width * width);
      }
    }
    Table table =
        setting.table(
            "random-vs-grid",
            "Best response of n trials, mean of " + surfaces + " surfaces (1 is the top of the hill)",
            List.of(
                "n",
                "grid",
                "random",
                "random better in % of " + BOOTSTRAPS + " bootstraps",
                "with edges joined",
                "of a grid of " + WHOLE_GRID + ", cut short"));
    int[] counts = setting.quick() ? FEWER_TRIALS : TRIALS;
    double[] wonCut = new double[counts.length];
    double[] grids = new double[counts.length];
    double[] randoms = new double[counts.length];
    double[] won = new double[counts.length];
    double[] wonJoined = new double[counts.length];
    for (int i = 0; i < counts.length; i++) {
      int n = counts[i];
      setting.doing("%d trials", n);
      double[][][] gridTrials = new double[surfaces][][];
      double[][][] cutTrials = new double[surfaces][][];
      double[][][] randomTrials = new double[surfaces][n][PARAMETERS];
      for (int s = 0; s < surfaces; s++) {
        gridTrials[s] = grid(n, random);
        cutTrials[s] = Arrays.copyOf(shuffled(grid(WHOLE_GRID, random), random), n);
        for (double[] trial : randomTrials[s]) {
          Arrays.setAll(trial, _ -> random.nextDouble());
        }
      }
      double[] byGrid = search(setting, gridTrials, centres, steepness, false);
      double[] byRandom = search(setting, randomTrials, centres, steepness, false);
      grids[i] = Numbers.mean(byGrid);
      randoms[i] = Numbers.mean(byRandom);
      won[i] = bootstrapped(setting, byGrid, byRandom, random);
      wonJoined[i] =
          bootstrapped(
              setting,
              search(setting, gridTrials, centres, steepness, true),
              search(setting, randomTrials, centres, steepness, true),
              random);
      wonCut[i] = bootstrapped(setting, search(setting, cutTrials, centres, steepness, false), byRandom, random);
      table.row(n, grids[i], randoms[i], 100 * won[i], 100 * wonJoined[i], 100 * wonCut[i]);
    }
    double[] trials = Arrays.stream(counts).asDoubleStream().toArray();
    Panel panel =
        Panel.of("Best of n trials", "trials n", "mean best response", Scale.LOG_X)
            .line("grid", trials, grids)
            .line("random", trials, randoms);
    return new Findings(
        List.of(table),
        List.of(new Figure("best-of-n", panel)),
        verdicts(counts, won),
        List.of(
            ("the response is a Gaussian hill over two of four parameters, its top anywhere in the unit cube,"
                    + " its widths %s to %s; the other two change nothing")
                .formatted(NARROW, WIDE),
            "a grid of n has levels as even as can be (2 x 2 x 1 x 1 for n = 4, 5 x 1 x 1 x 1 for 5) in the middle of"
                + " equal parts; which parameters get more levels is left to chance, since nobody knows which matter",
            "n = 1 searches nothing: it compares the middle of the cube with a place anywhere",
            ("another grid of n, not judged: n points by chance of the whole one of %s. Beside it random is"
                    + " better in at least 95 %% of bootstraps from n = %s on")
                .formatted(WHOLE_GRID, from(counts, wonCut)),
            "a small grid lies in the middle, from where no top is far; random trials lie anywhere. With the edges of"
                + " the cube joined there is no middle, a single trial is as good wherever it lies, and only the"
                + " arrangement is left: then random is better in "
                + Numbers.percent(wonJoined[1])
                + " of bootstraps for n = 2. Nothing is tuned"));
  }

  /** The number of trials from which on random wins for sure; none if it never does. */
  private static String from(int[] trials, double[] won) {
    int first = won.length;
    while (first > 0 && won[first - 1] >= SURE) {
      first--;
    }
    return first == won.length ? "none" : String.valueOf(trials[first]);
  }

  /** The verdict on each number of trials, by the share of bootstraps in which random was better. */
  static List<Verdict> verdicts(int[] trials, double[] won) {
    return IntStream.range(0, trials.length)
        .mapToObj(i ->
            Verdict.that(
                "the best of " + trials[i] + " random trials is better than that of a grid of " + trials[i],
                "in " + Numbers.percent(won[i]) + " of bootstraps",
                "at least " + Numbers.percent(SURE),
                won[i] >= SURE))
        .toList();
  }

  /**
   * The points of a grid.
   *
   * @param n at most 2 to the number of parameters: as many parameters as it has prime factors, by chance, have as many
   *     levels each
   */
  static double[][] grid(int n, RandomGenerator random) {
    Integer[] order = shuffled(IntStream.range(0, PARAMETERS).boxed().toArray(Integer[]::new), random);
    double[][] points = new double[n][PARAMETERS];
    for (int i = 0; i < n; i++) {
      Arrays.fill(points[i], 0.5);
    }
    int place = 0;
    int stride = 1;
    for (int left = n, levels = 2; left > 1; levels++) {
      for (; left % levels == 0; left /= levels, stride *= levels) {
        int parameter = order[place++];
        for (int i = 0; i < n; i++) {
          points[i][parameter] = (i / stride % levels + 0.5) / levels;
        }
      }
    }
    return points;
  }

  /** Changes the order of {@code values}, all orders alike, and returns them. */
  private static <T> T[] shuffled(T[] values, RandomGenerator random) {
    for (int i = values.length - 1; i > 0; i--) {
      int other = random.nextInt(i + 1);
      T swapped = values[i];
      values[i] = values[other];
      values[other] = swapped;
    }
    return values;
  }

  /**
   * The best response of each surface's trials.
   *
   * @param trials [surface][trial][parameter]
   * @param joined whether a parameter's range is a circle, on which what lies d apart also lies 1 − d apart
   */
  static double[] search(
      Setting setting, double[][][] trials, double[][] centres, double[][] steepness, boolean joined) {
    int surfaces = trials.length;
    int n = trials[0].length;
    Graph graph = new Graph();
    Tensor points = graph.input("points", TensorType.f32(surfaces, n, PARAMETERS));
    Tensor tops = graph.input("tops", TensorType.f32(surfaces, 1, PARAMETERS));
    Tensor steep = graph.input("steepness", TensorType.f32(surfaces, 1, PARAMETERS));
    var straight = Exprs.abs(Exprs.sub(input(0), input(1)));
    var off = joined ? Exprs.min(straight, Exprs.sub(1, straight)) : straight;
    var fall = Exprs.mul(Exprs.mul(off, off), input(2));
    Tensor depth = points.reduce(ReduceKind.SUM, fall, DType.F32, new int[] {2}, tops, steep);
    graph.output("best", depth.map(d -> Exprs.exp(Exprs.neg(d))).max(1));
    try (Computation computation = new Computation(setting.device(), graph)) {
      computation.stage(
          "points",
          points.type(),
          Arrays.stream(trials).flatMap(Arrays::stream).flatMapToDouble(Arrays::stream).toArray());
      computation.stage("tops", tops.type(), Arrays.stream(centres).flatMapToDouble(Arrays::stream).toArray());
      computation.stage("steepness", steep.type(), Arrays.stream(steepness).flatMapToDouble(Arrays::stream).toArray());
      computation.run();
      return computation.read("best");
    }
  }

  /** The share of bootstraps in which the mean over resampled surfaces is higher for {@code b}. */
  static double bootstrapped(Setting setting, double[] a, double[] b, RandomGenerator random) {
    int surfaces = a.length;
    Graph graph = new Graph();
    Tensor counts = graph.input("counts", TensorType.f32(BOOTSTRAPS, surfaces));
    Tensor gains = graph.input("gains", TensorType.f32(surfaces, 1));
    Tensor won = counts.matmul(gains).map(g -> Exprs.ifPositive(g, Exprs.constant(1), Exprs.constant(0)));
    graph.output("share", won.mean());
    double[] drawn = new double[BOOTSTRAPS * surfaces];
    for (int boot = 0; boot < BOOTSTRAPS; boot++) {
      for (int s = 0; s < surfaces; s++) {
        drawn[boot * surfaces + random.nextInt(surfaces)]++;
      }
    }
    double[] differences = new double[surfaces];
    Arrays.setAll(differences, s -> b[s] - a[s]);
    try (Computation computation = new Computation(setting.device(), graph)) {
      computation.stage("counts", counts.type(), drawn);
      computation.stage("gains", gains.type(), differences);
      computation.run();
      return computation.read("share")[0];
    }
  }
}
