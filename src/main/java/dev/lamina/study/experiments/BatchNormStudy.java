package dev.lamina.study.experiments;

import dev.lamina.graph.Tensor;
import dev.lamina.nn.activation.Sigmoid;
import dev.lamina.nn.init.Initializer;
import dev.lamina.nn.init.LeCun;
import dev.lamina.nn.init.Normal;
import dev.lamina.optim.Sgd;
import dev.lamina.study.ConfidenceInterval;
import dev.lamina.study.Course;
import dev.lamina.study.Edges;
import dev.lamina.study.Figure;
import dev.lamina.study.Findings;
import dev.lamina.study.LayerProbe;
import dev.lamina.study.Networks;
import dev.lamina.study.Numbers;
import dev.lamina.study.Panel;
import dev.lamina.study.Panel.Curve;
import dev.lamina.study.Panel.Scale;
import dev.lamina.study.Panel.Style;
import dev.lamina.study.Setting;
import dev.lamina.study.Splits;
import dev.lamina.study.Study;
import dev.lamina.study.Table;
import dev.lamina.study.Verdict;
import dev.lamina.train.Evaluation;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The experiment on MNIST with which batch norm was introduced. */
final class BatchNormStudy {
  static final Study STUDY =
      new Study(
          "batch-norm",
          "with batch norm a sigmoid net gets better sooner, the inputs of its last layer hold still, it trains at"
              + " rates that are too high without, and deep ones train only with it",
          "Ioffe and Szegedy 2015, Batch Normalization, section 4.1 and figure 1",
          "5 min",
          BatchNormStudy::run);

  private static final int HIDDEN = 3;
  private static final int WIDTH = 100;
  private static final int BATCH = 60;
  private static final int LOOKS = 40;
  private static final int PROBED = 500;
  private static final double[] PERCENTILES = {0.15, 0.50, 0.85};

  /** What both nets are compared at; the paper does not name its rate. */
  private static final double[] RATES = {0.03, 0.1, 0.3, 1, 3, 10};

  private static final double[] HIGH_RATES = {3, 10, 30, 100};
  private static final int DEEP = 9;

  /**
   * At the rates that were chosen with another one. Five left it open whether percentiles hold still; deep nets and
   * high rates, where the difference is large, have 3.
   */
  private static final int SEEDS = 10;

  private static final int FEWER_SEEDS = 3;

  /** Ten classes: a net at most this good has learned next to nothing, one at least that good has learned. */
  private static final double STALLED = 0.3;

  private static final double LEARNED = 0.9;

  /** An accuracy on the way, reported only. */
  private static final double EARLY = 0.95;

  /**
   * What the weights begin with. The paper's are "small random Gaussian values"; better ones are known since.
   *
   * @param words for tables
   */
  private record Start(String words, Initializer weight) {
    static final Start PAPER = new Start("0.01 N", new Normal(0.01));
    static final Start SCALED = new Start("1/sqrt(fan-in)", new LeCun());
  }

  /** Trainings without and with batch norm, a pair for each seed, each kind at its best rate. */
  private record Pairs(List<Outcome> without, List<Outcome> with) {}

  /**
   * A training.
   *
   * @param accuracies on validation examples, at each look
   * @param percentiles of the inputs of each unit of the last hidden layer: [look][percentile][unit]; empty unless
   *     asked for
   */
  record Outcome(double rate, double[] accuracies, double[][][] percentiles) {
    double best() {
      return Numbers.most(accuracies);
    }

    double last() {
      return accuracies[accuracies.length - 1];
    }
  }

  private BatchNormStudy() {}

  private static Findings run(Setting setting) {
    int steps = setting.sized(4000, 400);
    int shortSteps = setting.sized(1000, 200);
    double[] rates = setting.quick() ? new double[] {0.3} : RATES;
    double[] highRates = setting.quick() ? new double[] {10, 100} : HIGH_RATES;
    Table tuned =
        setting.table(
            "rates",
            "Validation accuracy in % at the end",
            List.of("hidden layers", "weights", "rate", "without", "with"));
    Table bySeed =
        setting.table(
            "seeds",
            HIDDEN + " hidden layers, each at its rate: best validation accuracy in %, steps, wandering",
            List.of(
                "weights",
                "seed",
                "without",
                "with",
                "steps to the best without: times as many",
                "steps to " + Numbers.percent(EARLY) + " without",
                "steps to " + Numbers.percent(EARLY) + " with",
                "wandering without",
                "wandering with"));
    List<Verdict> verdicts = new ArrayList<>();
    List<Verdict> besides;
    List<Figure> figures = new ArrayList<>();
    Edges edges = new Edges();
    try (Arena arena = Arena.ofShared()) {
      Splits examples = Splits.open(setting, arena, setting.sized(50_000, 5000), setting.sized(5000, 500), PROBED);
      double[] at = Numbers.ends(steps, LOOKS);
      Pairs paper = pairs(setting, examples, Start.PAPER, rates, at, tuned, bySeed, edges);
      verdicts.addAll(verdicts(paper.without, paper.with));
      figures.add(figure("batch-norm", paper, at));
      Pairs scaled = pairs(setting, examples, Start.SCALED, rates, at, tuned, bySeed, edges);
      figures.add(figure("batch-norm-scaled", scaled, at));
      besides = verdicts(scaled.without, scaled.with);
      verdicts.add(setting.onMnist(highRates(setting, examples, highRates, shortSteps, tuned)));
      verdicts.add(setting.onMnist(deep(setting, examples, rates, steps, tuned, edges)));
    }
    return new Findings(
        List.of(tuned, bySeed),
        figures,
        verdicts,
        List.of(
            "sigmoids, "
                + WIDTH
                + " units a layer, batches of "
                + BATCH
                + ", plain SGD, weights from "
                + Start.PAPER.words
                + " (\"small random Gaussian values\") as in the paper, but "
                + steps
                + " steps instead of 50,000; high rates and deep nets from "
                + Start.SCALED.words
                + ", from which nets without batch norm have the better chance",
            "not judged, for the paper does not say it: from weights of "
                + Start.SCALED.words
                + " "
                + besides.stream()
                    .map(verdict -> verdict.criterion() + ": " + verdict.measured())
                    .collect(Collectors.joining("; ")),
            "tuning budget: the rates "
                + Arrays.toString(rates)
                + " for each net of "
                + HIDDEN
                + " (from either weights) and "
                + DEEP
                + " layers, one seed that is not used again, "
                + Arrays.toString(highRates)
                + " for high rates ("
                + shortSteps
                + " steps)",
            edges.note(),
            "percentiles of 15, 50 and 85 % are of each unit's inputs over "
                + PROBED
                + " images, with batch norm after it; how far they wander is the deviation of each over the second half"
                + " of training, over the distance of the outer two, the median of all units"));
  }

  private static Pairs pairs(
      Setting setting,
      Splits examples,
      Start start,
      double[] rates,
      double[] at,
      Table tuned,
      Table bySeed,
      Edges edges) {
    int steps = (int) at[at.length - 1];
    double[] chosen = chosen(setting, examples, start, HIDDEN, rates, steps, tuned, edges);
    Pairs pairs = new Pairs(new ArrayList<>(), new ArrayList<>());
    for (int seed = 1; seed <= setting.sized(SEEDS, 2); seed++) {
      Outcome without = train(setting, examples, start, HIDDEN, false, chosen[0], steps, seed);
      Outcome with = train(setting, examples, start, HIDDEN, true, chosen[1], steps, seed);
      pairs.without.add(without);
      pairs.with.add(with);
      bySeed.row(
          start.words,
          seed,
          100 * without.best(),
          100 * with.best(),
          1 / sooner(without, with),
          stepsTo(EARLY, without, at),
          stepsTo(EARLY, with, at),
          wandering(without),
          wandering(with));
    }
    return pairs;
  }

  /** The rates with the highest accuracy at the end, without and with batch norm. */
  private static double[] chosen(
      Setting setting, Splits examples, Start start, int depth, double[] rates, int steps, Table table, Edges edges) {
    double[] best = {-1, -1};
    double[] chosen = {rates[0], rates[0]};
    for (double rate : rates) {
      double[] last = new double[2];
      for (int which = 0; which < 2; which++) {
        last[which] = train(setting, examples, start, depth, which == 1, rate, steps, 0).last();
        if (last[which] > best[which]) {
          best[which] = last[which];
          chosen[which] = rate;
        }
      }
      table.row(depth, start.words, rate, 100 * last[0], 100 * last[1]);
    }
    for (int which = 0; which < 2; which++) {
      String net = depth + " layers from " + start.words + (which == 1 ? " with" : " without");
      edges.look(net, chosen[which], rates);
    }
    return chosen;
  }

  private static Outcome train(
      Setting setting, Splits examples, Start start, int depth, boolean normalised, double rate, int steps, int seed) {
    setting.doing(
        "%d layers from %s %s batch norm, rate %s, seed %d",
        depth, start.words, normalised ? "with" : "without", Numbers.text(rate), seed);
    var network = Networks.dense(depth, WIDTH, examples.classes(), new Sigmoid(), start.weight, normalised);
    // In front of the last sigmoid: outputs of the layers end with sums, (norm,) sigmoid, logits.
    try (Course course = new Course(setting, network, new Sgd(), examples.training(), BATCH, setting.seed(seed));
        LayerProbe probe =
            new LayerProbe(
                setting,
                course,
                examples.test().take(PROBED),
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

  /** Judges nets without and with batch norm, seed by seed. */
  static List<Verdict> verdicts(List<Outcome> without, List<Outcome> with) {
    double[] higher = new double[with.size()];
    double[] sooner = new double[with.size()];
    double[] plain = new double[with.size()];
    double[] still = new double[with.size()];
    for (int seed = 0; seed < with.size(); seed++) {
      higher[seed] = 100 * (with.get(seed).best() - without.get(seed).best());
      sooner[seed] = sooner(without.get(seed), with.get(seed));
      plain[seed] = wandering(without.get(seed));
      still[seed] = wandering(with.get(seed));
    }
    ConfidenceInterval points = ConfidenceInterval.of(higher);
    double[] one = new double[sooner.length];
    Arrays.fill(one, 1);
    ConfidenceInterval pace = ConfidenceInterval.ofRatio(sooner, one);
    ConfidenceInterval calm = ConfidenceInterval.ofRatio(still, plain);
    return List.of(
        new Verdict(
            "with batch norm a higher accuracy is reached",
            points.text() + " points",
            "higher",
            "the interval lies above 0",
            points.low() > 0),
        new Verdict(
            "with batch norm the best accuracy without it is reached sooner",
            pace.text() + " times",
            "sooner",
            "the interval lies above 1",
            pace.low() > 1),
        new Verdict(
            "the percentiles of the last layer's inputs hold still with batch norm",
            "they wander by " + calm.text() + " of what they do without it",
            "less",
            "the interval lies below 1",
            calm.high() < 1));
  }

  /**
   * How many times as long the net without batch norm takes to its best accuracy as the one with it; one that never
   * gets there counts as if it did one look after the end.
   */
  private static double sooner(Outcome without, Outcome with) {
    double goal = without.best();
    return (firstAt(without, goal) + 1.0) / (firstAt(with, goal) + 1.0);
  }

  /** NaN if it never gets there. */
  private static double stepsTo(double accuracy, Outcome outcome, double[] at) {
    int look = firstAt(outcome, accuracy);
    return look < at.length ? at[look] : Double.NaN;
  }

  private static int firstAt(Outcome outcome, double accuracy) {
    int looks = outcome.accuracies.length;
    return IntStream.range(0, looks).filter(i -> outcome.accuracies[i] >= accuracy).findFirst().orElse(looks);
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

  private static Figure figure(String name, Pairs pairs, double[] at) {
    Outcome without = pairs.without.getFirst();
    Outcome with = pairs.with.getFirst();
    Panel accuracy =
        Panel.of("Validation accuracy", "updates", "accuracy", Scale.LINEAR)
            .line("without, rate " + Numbers.text(without.rate), at, without.accuracies)
            .line("with, rate " + Numbers.text(with.rate), at, with.accuracies);
    return new Figure(name, 3, List.of(accuracy, inputs("Without", without, at), inputs("With", with, at)));
  }

  private static Panel inputs(String title, Outcome outcome, double[] at) {
    Panel panel = Panel.of(title + ": inputs of unit 1 of the last sigmoids", "updates", "percentiles", Scale.LINEAR);
    for (int p = 0; p < PERCENTILES.length; p++) {
      panel = panel.with(new Curve(Numbers.percent(PERCENTILES[p]), at, series(outcome, p, 0), Style.LINE));
    }
    return panel;
  }

  private static Verdict highRates(Setting setting, Splits examples, double[] rates, int steps, Table table) {
    for (double rate : rates) {
      double without = train(setting, examples, Start.SCALED, HIDDEN, false, rate, steps, 0).last();
      double with = train(setting, examples, Start.SCALED, HIDDEN, true, rate, steps, 0).last();
      table.row(HIDDEN, Start.SCALED.words, rate, 100 * without, 100 * with);
      if (onlyWith(without, with)) {
        return only(
            "at a rate of " + Numbers.text(rate) + " it trains only with batch norm, for every seed",
            lasts(setting, examples, HIDDEN, false, rate, steps),
            lasts(setting, examples, HIDDEN, true, rate, steps));
      }
    }
    return only("there is a rate at which it trains only with batch norm", new double[] {1}, new double[] {0});
  }

  private static Verdict deep(Setting setting, Splits examples, double[] rates, int steps, Table table, Edges edges) {
    double[] chosen = chosen(setting, examples, Start.SCALED, DEEP, rates, steps, table, edges);
    return only(
        "with "
            + DEEP
            + " hidden layers of sigmoids it trains only with batch norm, each at its best rate, for every"
            + " seed",
        lasts(setting, examples, DEEP, false, chosen[0], steps),
        lasts(setting, examples, DEEP, true, chosen[1], steps));
  }

  private static double[] lasts(
      Setting setting, Splits examples, int depth, boolean normalised, double rate, int steps) {
    return IntStream.rangeClosed(1, setting.sized(FEWER_SEEDS, 1))
        .mapToDouble(seed -> train(setting, examples, Start.SCALED, depth, normalised, rate, steps, seed).last())
        .toArray();
  }

  private static boolean onlyWith(double without, double with) {
    return with >= LEARNED && without <= STALLED;
  }

  /** The verdict on accuracies of all seeds, of which the best without and the worst with batch norm count. */
  static Verdict only(String criterion, double[] without, double[] with) {
    double best = Numbers.most(without);
    double worst = Numbers.least(with);
    return Verdict.that(
        criterion,
        "at least " + Numbers.percent(worst) + " with and at most " + Numbers.percent(best) + " without",
        "at least " + Numbers.percent(LEARNED) + " with, at most " + Numbers.percent(STALLED) + " without",
        onlyWith(best, worst));
  }
}
