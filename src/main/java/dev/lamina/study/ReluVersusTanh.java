package dev.lamina.study;

import dev.lamina.data.Dataset;
import dev.lamina.nn.activation.Activation;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.activation.Sigmoid;
import dev.lamina.nn.activation.Tanh;
import dev.lamina.nn.init.He;
import dev.lamina.nn.init.Initializer;
import dev.lamina.nn.init.LeCun;
import dev.lamina.optim.Sgd;
import dev.lamina.study.Panel.Scale;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** How much sooner ReLU reaches a training error than tanh and sigmoid. */
final class ReluVersusTanh implements Study {
  private static final int DEPTH = 4;
  private static final int WIDTH = 100;
  private static final int BATCH = 100;

  /** Updates between two looks at the training error. */
  private static final int LOOK = 20;

  /** Training error to be reached. Krizhevsky et al. took 25 % on CIFAR-10; digits are easier. */
  private static final double GOAL = 0.05;

  private static final double[] RATES = {0.01, 0.03, 0.1, 0.3, 1};

  /** The two-sided 95 % quantile of Student's t for 4 degrees of freedom, which five seeds have. */
  private static final double STUDENT = 2.776;

  private static final int SEEDS = 5;

  private record Kind(String name, Activation activation, Initializer weight) {}

  private static final List<Kind> KINDS =
      List.of(
          new Kind("ReLU", new ReLU(), new He()),
          new Kind("tanh", new Tanh(), new LeCun()),
          new Kind("sigmoid", new Sigmoid(), new LeCun()));

  /** Training errors at each look, until the goal or the end. */
  private record Walk(List<Double> errors, boolean arrived) {
    int updates() {
      return errors.size() * LOOK;
    }
  }

  @Override
  public String name() {
    return "relu-vs-tanh";
  }

  @Override
  public String claim() {
    return "ReLU reaches a training error several times (6 on CIFAR-10) sooner than tanh, each at its own rate";
  }

  @Override
  public String source() {
    return "Krizhevsky et al. 2012, ImageNet Classification with Deep CNNs, section 3.1 and figure 1";
  }

  @Override
  public String duration() {
    return "3 min";
  }

  @Override
  public Findings run(Setting setting) {
    double[] rates = setting.quick() ? new double[] {0.1, 0.3} : RATES;
    int most = setting.sized(4000, 1000);
    Table grid =
        new Table("rates", "Updates to " + Numbers.percent(GOAL) + " training error", "activation", "rate", "updates");
    Table table =
        new Table(
            "relu-vs-tanh",
            "Epochs to " + Numbers.percent(GOAL) + " training error, " + SEEDS + " seeds",
            "activation",
            "rate",
            "epochs",
            "slower than ReLU",
            "95 % interval from",
            "to");
    Panel panel = Panel.of("Training error, first seed", "updates", "error in %", Scale.LINEAR);
    List<Verdict> verdicts = new ArrayList<>();
    try (Arena arena = Arena.ofShared()) {
      Examples examples = Examples.open(setting, arena, setting.sized(10_000, 5000), 0, 1);
      Dataset judged = examples.training().take(2000);
      double epoch = examples.training().size() / (double) BATCH;
      double[] relu = new double[0];
      for (Kind kind : KINDS) {
        double rate = tuned(setting, examples, judged, kind, rates, most, grid);
        double[] updates = new double[SEEDS];
        boolean arrived = true;
        for (int seed = 0; seed < SEEDS; seed++) {
          setting.doing("%s, seed %d of %d", kind.name, seed + 1, SEEDS);
          // The seed that rates were tuned with is none of these.
          Walk walk = walk(setting, examples, judged, kind, rate, most, setting.seed() + 1 + seed);
          updates[seed] = walk.updates();
          arrived &= walk.arrived;
          if (seed == 0) {
            double[] at = IntStream.rangeClosed(1, walk.errors.size()).mapToDouble(i -> i * (double) LOOK).toArray();
            double[] errors = walk.errors.stream().mapToDouble(e -> 100 * e).toArray();
            panel = panel.line(kind.name + ", rate " + Numbers.text(rate), at, errors);
          }
        }
        if (relu.length == 0) {
          relu = updates;
          table.row(kind.name, rate, Numbers.mean(updates) / epoch, 1.0, Double.NaN, Double.NaN);
          continue;
        }
        double[] interval = ratio(relu, updates);
        table.row(kind.name, rate, Numbers.mean(updates) / epoch, interval[1], interval[0], interval[2]);
        verdicts.add(
            new Verdict(
                "ReLU reaches the error sooner than " + kind.name,
                Numbers.text(interval[1])
                    + " times, 95 % interval "
                    + Numbers.text(interval[0])
                    + " to "
                    + Numbers.text(interval[2])
                    + (arrived ? "" : "; not all of its trainings arrived, so it is more"),
                "6 times (on CIFAR-10, against tanh)",
                "the interval excludes 1",
                interval[0] > 1));
      }
    }
    return new Findings(
        List.of(grid, table),
        List.of(new Figure("relu-vs-tanh", panel)),
        verdicts,
        List.of(
            DEPTH
                + " hidden layers of "
                + WIDTH
                + ", SGD, batches of "
                + BATCH
                + ", ReLU from sqrt(2/n), tanh and"
                + " sigmoid from 1/sqrt(n); the original is a convolutional net on CIFAR-10",
            "tuning budget: the rates "
                + Arrays.toString(rates)
                + " for each, one seed that is not used again, the"
                + " fewest updates count; at most "
                + most
                + " updates",
            "intervals are of the mean logarithm of the ratio, seed by seed (Student's t)"));
  }

  private static double tuned(
      Setting setting, Examples examples, Dataset judged, Kind kind, double[] rates, int most, Table grid) {
    double best = rates[0];
    int fewest = Integer.MAX_VALUE;
    for (double rate : rates) {
      setting.doing("%s, rate %s", kind.name, Numbers.text(rate));
      Walk walk = walk(setting, examples, judged, kind, rate, most, setting.seed());
      grid.row(kind.name, rate, walk.arrived ? walk.updates() : Double.NaN);
      if (walk.arrived && walk.updates() < fewest) {
        fewest = walk.updates();
        best = rate;
      }
    }
    return best;
  }

  private static Walk walk(
      Setting setting, Examples examples, Dataset judged, Kind kind, double rate, int most, long seed) {
    var network = Networks.dense(DEPTH, WIDTH, examples.classes(), kind.activation, kind.weight);
    try (Course course = new Course(setting, network, new Sgd(), examples.training(), BATCH, seed)) {
      List<Double> errors = new ArrayList<>();
      while (errors.size() * LOOK < most) {
        course.train(LOOK, rate);
        double error = 1 - course.judge(judged).accuracy();
        errors.add(error);
        if (error <= GOAL) {
          return new Walk(errors, true);
        }
      }
      return new Walk(errors, false);
    }
  }

  /** How many times as long {@code other} takes: lower end, middle, upper end of the interval. */
  static double[] ratio(double[] relu, double[] other) {
    double[] logs = new double[relu.length];
    Arrays.setAll(logs, i -> Math.log(other[i] / relu[i]));
    double half = STUDENT * Numbers.deviation(logs) / Math.sqrt(logs.length);
    double mean = Numbers.mean(logs);
    return new double[] {Math.exp(mean - half), Math.exp(mean), Math.exp(mean + half)};
  }
}
