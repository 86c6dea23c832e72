package dev.lamina.study;

import dev.lamina.graph.Tensor;
import dev.lamina.nn.Scope.Mode;
import dev.lamina.nn.activation.Sigmoid;
import dev.lamina.nn.init.LeCun;
import dev.lamina.optim.Sgd;
import dev.lamina.study.Panel.Curve;
import dev.lamina.study.Panel.Scale;
import dev.lamina.study.Panel.Style;
import dev.lamina.train.Evaluation;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** The experiment on MNIST with which batch norm was introduced. */
final class BatchNormStudy implements Study {
  private static final int HIDDEN = 3;
  private static final int WIDTH = 100;
  private static final int BATCH = 60;
  private static final int LOOKS = 40;
  private static final int PROBED = 500;
  private static final double[] PERCENTILES = {0.15, 0.50, 0.85};

  /** What both nets are compared at; the paper does not name its rate. */
  private static final double[] RATES = {0.03, 0.1, 0.3, 1};

  private static final double[] HIGH_RATES = {3, 10, 30, 100};
  private static final int DEEP = 9;

  /** Ten classes: a net at most this good has learned next to nothing, one at least that good has learned. */
  private static final double STALLED = 0.3;

  private static final double LEARNED = 0.9;

  /**
   * A training.
   *
   * @param accuracies on validation examples, at each look
   * @param percentiles of the inputs of each unit of the last hidden layer: [look][percentile][unit]; empty unless
   *     asked for
   */
  private record Outcome(double rate, double[] accuracies, double[][][] percentiles) {
    double best() {
      return Arrays.stream(accuracies).max().orElseThrow();
    }

    double last() {
      return accuracies[accuracies.length - 1];
    }
  }

  @Override
  public String name() {
    return "batch-norm";
  }

  @Override
  public String claim() {
    return "with batch norm a sigmoid net gets better sooner, the inputs of its last layer hold still, it trains at"
        + " rates that are too high without, and deep ones train only with it";
  }

  @Override
  public String source() {
    return "Ioffe and Szegedy 2015, Batch Normalization, section 4.1 and figure 1";
  }

  @Override
  public String duration() {
    return "4 min";
  }

  @Override
  public Findings run(Setting setting) {
    int steps = setting.sized(4000, 400);
    int shortSteps = setting.sized(1000, 200);
    double[] rates = setting.quick() ? new double[] {0.3} : RATES;
    double[] highRates = setting.quick() ? new double[] {10, 100} : HIGH_RATES;
    Table tuned = new Table("rates", "Validation accuracy in % at the end", "hidden layers", "rate", "without", "with");
    List<Verdict> verdicts = new ArrayList<>();
    List<Figure> figures = new ArrayList<>();
    try (Arena arena = Arena.ofShared()) {
      Examples examples = Examples.open(setting, arena, setting.sized(50_000, 5000), setting.sized(5000, 500), PROBED);
      Outcome[] best = {null, null};
      for (double rate : rates) {
        Outcome[] both = both(setting, examples, HIDDEN, rate, steps, "");
        tuned.row(HIDDEN, rate, 100 * both[0].last(), 100 * both[1].last());
        for (int which = 0; which < 2; which++) {
          best[which] = best[which] == null || both[which].last() > best[which].last() ? both[which] : best[which];
        }
      }
      double[] at = IntStream.rangeClosed(1, LOOKS).mapToDouble(i -> (double) i * steps / LOOKS).toArray();
      verdicts.add(sooner(best[0], best[1], at));
      verdicts.add(still(best[0], best[1]));
      figures.add(
          new Figure(
              "batch-norm",
              3,
              List.of(accuracy(best, at), inputs("Without", best[0], at), inputs("With", best[1], at))));
      verdicts.add(highRates(setting, examples, highRates, shortSteps, tuned));
      verdicts.add(deep(setting, examples, rates, steps, tuned));
    }
    return new Findings(
        List.of(tuned),
        figures,
        verdicts,
        List.of(
            "sigmoids, "
                + WIDTH
                + " units a layer, batches of "
                + BATCH
                + ", plain SGD, weights from 1/sqrt(fan-in);"
                + " the paper trains for 50,000 steps from small Gaussian weights, here it is "
                + steps,
            "tuning budget: the rates "
                + Arrays.toString(rates)
                + " for each net of "
                + HIDDEN
                + " and "
                + DEEP
                + " layers, "
                + Arrays.toString(highRates)
                + " for high rates ("
                + shortSteps
                + " steps)",
            "percentiles of 15, 50 and 85 % are of each unit's inputs over "
                + PROBED
                + " images, with batch norm after it; how far they wander is the deviation of each over the second half"
                + " of training, over the distance of the outer two, the median of all units"));
  }

  private static Outcome[] both(Setting setting, Examples examples, int depth, double rate, int steps, String what) {
    Outcome[] both = new Outcome[2];
    for (int which = 0; which < 2; which++) {
      setting.doing(
          "%s%d layers %s batch norm, rate %s", what, depth, which == 0 ? "without" : "with", Numbers.text(rate));
      both[which] = train(setting, examples, depth, which == 1, rate, steps);
    }
    return both;
  }

  private static Outcome train(
      Setting setting, Examples examples, int depth, boolean normalised, double rate, int steps) {
    var network = Networks.dense(depth, WIDTH, examples.classes(), new Sigmoid(), new LeCun(), normalised);
    // In front of the last sigmoid: outputs of the layers end with sums, (norm,) sigmoid, logits.
    try (Course course = new Course(setting, network, new Sgd(), examples.training(), BATCH, setting.seed());
        Probe probe =
            new Probe(
                setting,
                course,
                examples.test().take(PROBED),
                Mode.EVALUATION,
                (outputs, labels) -> labels.graph().output("inputs", lastInputs(outputs)))) {
      double[] accuracies = new double[LOOKS];
      double[][][] percentiles = new double[LOOKS][][];
      for (int look = 0; look < LOOKS; look++) {
        course.train(steps / LOOKS, rate);
        Evaluation judged = course.judge(examples.validation());
        accuracies[look] = course.diverged() ? 0 : judged.accuracy();
        percentiles[look] = percentiles(probe.look(course).read("inputs"));
      }
      return new Outcome(rate, accuracies, percentiles);
    }
  }

  private static Tensor lastInputs(List<Tensor> outputs) {
    return outputs.get(outputs.size() - 3);
  }

  /** [percentile][unit] of values [example][unit]. */
  private static double[][] percentiles(double[] values) {
    int examples = values.length / WIDTH;
    double[][] percentiles = new double[PERCENTILES.length][WIDTH];
    for (int unit = 0; unit < WIDTH; unit++) {
      int own = unit;
      double[] inputs = IntStream.range(0, examples).mapToDouble(i -> values[i * WIDTH + own]).toArray();
      for (int p = 0; p < PERCENTILES.length; p++) {
        percentiles[p][unit] = Numbers.quantile(PERCENTILES[p], inputs);
      }
    }
    return percentiles;
  }

  private static Verdict sooner(Outcome without, Outcome with, double[] at) {
    double goal = without.best();
    double plain = at[firstAt(without, goal)];
    int reached = firstAt(with, goal);
    boolean better = with.best() > goal && reached < LOOKS && at[reached] < plain;
    return Verdict.that(
        "with batch norm a higher accuracy is reached, and the best one without it sooner",
        Numbers.percent(with.best())
            + " against "
            + Numbers.percent(goal)
            + (reached < LOOKS
                ? ", which takes " + Numbers.text(at[reached]) + " steps instead of " + Numbers.text(plain)
                : ""),
        "higher and sooner",
        better);
  }

  private static int firstAt(Outcome outcome, double accuracy) {
    return IntStream.range(0, LOOKS).filter(i -> outcome.accuracies[i] >= accuracy).findFirst().orElse(LOOKS);
  }

  private static Verdict still(Outcome without, Outcome with) {
    double plain = wandering(without);
    double normalised = wandering(with);
    return Verdict.that(
        "the percentiles of the last layer's inputs hold still with batch norm",
        "they wander by " + Numbers.text(normalised) + " of their distance, without it by " + Numbers.text(plain),
        "less with than without",
        normalised < plain);
  }

  /** How far percentiles move in the second half of training, over the distance of the outer two; the median unit. */
  private static double wandering(Outcome outcome) {
    double[] units = new double[WIDTH];
    for (int unit = 0; unit < WIDTH; unit++) {
      double moved = 0;
      double distance = 0;
      for (int p = 0; p < PERCENTILES.length; p++) {
        double[] over = series(outcome, p, unit);
        moved += Numbers.deviation(Arrays.copyOfRange(over, LOOKS / 2, LOOKS)) / PERCENTILES.length;
      }
      double[] low = series(outcome, 0, unit);
      double[] high = series(outcome, PERCENTILES.length - 1, unit);
      for (int look = LOOKS / 2; look < LOOKS; look++) {
        distance += (high[look] - low[look]) / (LOOKS - LOOKS / 2);
      }
      units[unit] = moved / distance;
    }
    return Numbers.quantile(0.5, units);
  }

  private static double[] series(Outcome outcome, int percentile, int unit) {
    return Arrays.stream(outcome.percentiles).mapToDouble(look -> look[percentile][unit]).toArray();
  }

  private static Panel accuracy(Outcome[] best, double[] at) {
    return Panel.of("Validation accuracy", "updates", "accuracy", Scale.LINEAR)
        .line("without, rate " + Numbers.text(best[0].rate), at, best[0].accuracies)
        .line("with, rate " + Numbers.text(best[1].rate), at, best[1].accuracies);
  }

  private static Panel inputs(String title, Outcome outcome, double[] at) {
    Panel panel = Panel.of(title + ": inputs of unit 1 of the last sigmoids", "updates", "percentiles", Scale.LINEAR);
    for (int p = 0; p < PERCENTILES.length; p++) {
      panel = panel.with(new Curve(Numbers.percent(PERCENTILES[p]), at, series(outcome, p, 0), Style.LINE));
    }
    return panel;
  }

  private static Verdict highRates(Setting setting, Examples examples, double[] rates, int steps, Table table) {
    String found = "no such rate among " + Arrays.toString(rates);
    boolean reproduced = false;
    for (double rate : rates) {
      Outcome[] both = both(setting, examples, HIDDEN, rate, steps, "high rates: ");
      table.row(HIDDEN, rate, 100 * both[0].last(), 100 * both[1].last());
      if (!reproduced && both[1].last() >= LEARNED && both[0].last() <= STALLED) {
        reproduced = true;
        found =
            "at "
                + Numbers.text(rate)
                + " "
                + Numbers.percent(both[1].last())
                + " with and "
                + Numbers.percent(both[0].last())
                + " without";
      }
    }
    return Verdict.that(
        "there is a rate at which it trains only with batch norm",
        found,
        "at least " + Numbers.percent(LEARNED) + " with, at most " + Numbers.percent(STALLED) + " without",
        reproduced);
  }

  private static Verdict deep(Setting setting, Examples examples, double[] rates, int steps, Table table) {
    double without = 0;
    double with = 0;
    for (double rate : rates) {
      Outcome[] both = both(setting, examples, DEEP, rate, steps, "deep: ");
      table.row(DEEP, rate, 100 * both[0].last(), 100 * both[1].last());
      without = Math.max(without, both[0].last());
      with = Math.max(with, both[1].last());
    }
    return Verdict.that(
        "with " + DEEP + " hidden layers of sigmoids it trains only with batch norm, whatever the rate",
        Numbers.percent(with) + " with and " + Numbers.percent(without) + " without",
        "at least " + Numbers.percent(LEARNED) + " with, at most " + Numbers.percent(STALLED) + " without",
        with >= LEARNED && without <= STALLED);
  }
}
