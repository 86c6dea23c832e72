package dev.lamina.study;

import dev.lamina.graph.Tensor;
import dev.lamina.nn.Scope.Mode;
import dev.lamina.nn.activation.ReLU;
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

/** Thirty ReLU layers that learn from one initialisation and not from another that differs by √2. */
final class HeVersusXavier implements Study {
  private static final int DEPTH = 30;
  private static final int WIDTH = 100;
  private static final int BATCH = 100;
  private static final int LOOKS = 30;
  private static final int PROBED = 500;
  private static final double[] RATES = {0.001, 0.003, 0.01, 0.03, 0.1, 0.3};

  /** A training: the mean loss between two looks, the deviation of each hidden layer before it began. */
  private record Outcome(double rate, double[] losses, double[] deviations) {
    double last() {
      return losses[LOOKS - 1];
    }
  }

  @Override
  public String name() {
    return "he-vs-xavier";
  }

  @Override
  public String claim() {
    return "a 30-layer ReLU net without batch norm trains with plain SGD from He's initialisation and stalls from"
        + " Xavier's; forward, the second is (1/sqrt 2)^L of the first";
  }

  @Override
  public String source() {
    return "He et al. 2015, Delving Deep into Rectifiers, section 2.2 and figure 3";
  }

  @Override
  public String duration() {
    return "3 min";
  }

  @Override
  public Findings run(Setting setting) {
    int steps = setting.sized(1500, 300);
    double[] rates = setting.quick() ? new double[] {0.01, 0.03} : RATES;
    Table grid = new Table("rates", "Training loss after " + steps + " updates", "start", "rate", "loss");
    Outcome he;
    Outcome xavier;
    double guessing;
    try (Arena arena = Arena.ofShared()) {
      Examples examples = Examples.open(setting, arena, setting.sized(20_000, 5000), 0, PROBED);
      guessing = Math.log(examples.classes());
      he = best(setting, examples, "He", new He(), rates, steps, grid);
      xavier = best(setting, examples, "Xavier", new LeCun(), rates, steps, grid);
    }
    double[] layers = Numbers.counting(1, DEPTH);
    double[] ratio = IntStream.range(0, DEPTH).mapToDouble(i -> xavier.deviations[i] / he.deviations[i]).toArray();
    double[] theory = IntStream.range(0, DEPTH).mapToDouble(i -> Math.pow(0.5, (i + 1) / 2.0)).toArray();
    Table forward =
        new Table(
            "forward",
            "Standard deviation after each layer, before training",
            "layer",
            "He",
            "Xavier",
            "ratio",
            "(1/sqrt 2)^L");
    IntStream.range(0, DEPTH)
        .forEach(i -> forward.row(i + 1, he.deviations[i], xavier.deviations[i], ratio[i], theory[i]));
    double[] at = IntStream.range(0, LOOKS).mapToDouble(i -> (i + 1.0) * steps / LOOKS).toArray();
    Panel losses =
        Panel.of("Training loss, each at its best rate", "updates", "loss", Scale.LINEAR)
            .line("He, rate " + Numbers.text(he.rate), at, he.losses)
            .line("Xavier, rate " + Numbers.text(xavier.rate), at, xavier.losses);
    Panel signals =
        Panel.of("Signal by layer, before training", "layer", "standard deviation", Scale.LOG_Y)
            .line("He", layers, he.deviations)
            .line("Xavier", layers, xavier.deviations);
    return new Findings(
        List.of(grid, forward),
        List.of(new Figure("he-vs-xavier", 2, List.of(losses, signals))),
        verdicts(guessing, he, xavier, ratio, theory),
        List.of(
            "Xavier here is what He et al. compare with, std 1/sqrt(fan-in); "
                + DEPTH
                + " hidden layers of "
                + WIDTH
                + ", biases 0, SGD, batches of "
                + BATCH,
            "the loss first falls under half: "
                + firstBelow(he, guessing / 2, steps)
                + " from He's start, "
                + firstBelow(xavier, guessing / 2, steps)
                + " from Xavier's; Xavier's leaves the plateau "
                + firstBelow(xavier, 0.98 * guessing, steps),
            "both starts are the same draws, scaled: where all layers have ReLU and biases 0 the ratio is exact but for"
                + " rounding",
            "tuning budget: the rates "
                + Arrays.toString(rates)
                + " for each, of which the lowest training loss at"
                + " the end counts"));
  }

  private static String firstBelow(Outcome outcome, double loss, int steps) {
    return IntStream.range(0, LOOKS)
        .filter(look -> outcome.losses[look] < loss)
        .mapToObj(look -> "at update " + (look + 1) * steps / LOOKS)
        .findFirst()
        .orElse("never");
  }

  private static List<Verdict> verdicts(double guessing, Outcome he, Outcome xavier, double[] ratio, double[] theory) {
    int worst = 0;
    for (int i = 1; i < DEPTH; i++) {
      if (Math.abs(ratio[i] / theory[i] - 1) > Math.abs(ratio[worst] / theory[worst] - 1)) {
        worst = i;
      }
    }
    return List.of(
        Verdict.that(
            "from He's initialisation the loss falls under half of that of guessing",
            Numbers.text(he.last()),
            "below " + Numbers.text(guessing / 2),
            he.last() < guessing / 2),
        Verdict.within(
            "from Xavier's it stays at that of guessing, at the best of its rates", xavier.last(), guessing, 0.02),
        Verdict.within(
            "the forward ratio of deviations is (1/sqrt 2)^L at every layer; layer " + (worst + 1) + " differs most",
            ratio[worst],
            theory[worst],
            0.2));
  }

  private static Outcome best(
      Setting setting, Examples examples, String name, Initializer weight, double[] rates, int steps, Table grid) {
    List<Outcome> outcomes = new ArrayList<>();
    for (double rate : rates) {
      setting.doing("%s, rate %s", name, Numbers.text(rate));
      Outcome outcome = train(setting, examples, weight, rate, steps);
      grid.row(name, rate, outcome.last());
      outcomes.add(outcome);
    }
    // NaN compares as larger than every number.
    return outcomes.stream().min((a, b) -> Double.compare(a.last(), b.last())).orElseThrow();
  }

  private static Outcome train(Setting setting, Examples examples, Initializer weight, double rate, int steps) {
    var network = Networks.dense(DEPTH, WIDTH, examples.classes(), new ReLU(), weight);
    try (Course course = new Course(setting, network, new Sgd(), examples.training(), BATCH, setting.seed());
        Probe probe =
            new Probe(
                setting, course, examples.test().take(PROBED), Mode.EVALUATION, (outputs, _) -> addSignals(outputs))) {
      Computation seen = probe.look(course);
      double[] deviations = IntStream.range(0, DEPTH).mapToDouble(i -> seen.read("deviation" + i)[0]).toArray();
      double[] losses = new double[LOOKS];
      for (int look = 0; look < LOOKS; look++) {
        losses[look] = course.train(steps / LOOKS, rate).loss();
      }
      if (course.diverged()) {
        losses[LOOKS - 1] = Double.NaN;
      }
      return new Outcome(rate, losses, deviations);
    }
  }

  /** Adds the deviation of each hidden layer. */
  private static void addSignals(List<Tensor> outputs) {
    for (int i = 0; i < DEPTH; i++) {
      // The input, flattened, is in front; each hidden layer is a sum and an activation.
      Tensor activation = outputs.get(3 + 2 * i);
      activation.graph().output("deviation" + i, Moments.deviation(activation));
    }
  }
}
