package dev.lamina.study.experiments;

import dev.lamina.graph.Statistics;
import dev.lamina.graph.Tensor;
import dev.lamina.nn.Conv2d;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Flatten;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.init.He;
import dev.lamina.nn.init.Initializer;
import dev.lamina.nn.init.LeCun;
import dev.lamina.nn.init.Zeros;
import dev.lamina.optim.Sgd;
import dev.lamina.study.Computation;
import dev.lamina.study.Course;
import dev.lamina.study.Edges;
import dev.lamina.study.Figure;
import dev.lamina.study.Findings;
import dev.lamina.study.LayerProbe;
import dev.lamina.study.Numbers;
import dev.lamina.study.Panel;
import dev.lamina.study.Panel.Scale;
import dev.lamina.study.Setting;
import dev.lamina.study.Splits;
import dev.lamina.study.Study;
import dev.lamina.study.Table;
import dev.lamina.study.Tuning;
import dev.lamina.study.Verdict;
import dev.lamina.tensor.DType;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Thirty ReLU layers that learn from one initialisation and not from another that differs by √2: as in the paper 27 of
 * them are convolutions and 3 are dense, all else is the same for both, the learning rate too, which is the one that
 * suits He's start best.
 */
final class HeVersusXavier {
  static final Study STUDY =
      new Study(
          "he-vs-xavier",
          "a 30-layer ReLU net without batch norm trains with plain SGD from He's initialisation and stalls from"
              + " Xavier's; forward, the second is (1/sqrt 2)^L of the first",
          "He et al. 2015, Delving Deep into Rectifiers, section 2.2 and figure 3",
          "3 min",
          HeVersusXavier::run);

  private static final int CONVOLUTIONS = 27;
  private static final int DENSE = 3;
  private static final int DEPTH = CONVOLUTIONS + DENSE;
  private static final int FILTERS = 16;
  private static final int WIDTH = 100;
  private static final int BATCH = 32;
  private static final int LOOKS = 30;
  private static final int PROBED = 200;
  private static final double[] RATES = {0.001, 0.003, 0.01, 0.03, 0.1, 0.3};

  /** Of ln 10, within which a loss has not moved. */
  private static final double STALLED = 0.02;

  /** Thirty layers in the paper's proportions, or all dense. */
  private enum Kind {
    PAPER,
    DENSE
  }

  /**
   * A training.
   *
   * @param losses the mean between two looks; NaN from where it was not finite
   * @param deviations of each layer's output before it began
   */
  record Outcome(double rate, double[] losses, double[] deviations) {
    double last() {
      return losses[losses.length - 1];
    }
  }

  private HeVersusXavier() {}

  private static Findings run(Setting setting) {
    int steps = setting.sized(1500, 300);
    int seeds = setting.sized(3, 1);
    double[] rates = setting.quick() ? new double[] {0.01, 0.03} : RATES;
    Table grid =
        setting.table(
            "rates",
            "Training loss after " + steps + " updates, a seed that is not used again",
            List.of("rate", "He", "Xavier", "He, all dense", "Xavier, all dense"));
    List<Outcome> he = new ArrayList<>();
    List<Outcome> xavier = new ArrayList<>();
    List<Outcome> others = new ArrayList<>();
    List<Outcome> dense = new ArrayList<>();
    Edges edges = new Edges();
    double guessing;
    double rate;
    try (Arena arena = Arena.ofShared()) {
      Splits examples = Splits.open(setting, arena, setting.sized(20_000, 5000), 0, PROBED);
      guessing = Math.log(examples.classes());
      rate =
          Tuning.lowest(
              rates,
              tried -> {
                double paper = train(setting, examples, Kind.PAPER, "He", tried, steps, 0).last();
                others.add(train(setting, examples, Kind.PAPER, "Xavier", tried, steps, 0));
                double allDense = train(setting, examples, Kind.DENSE, "He", tried, steps, 0).last();
                dense.add(train(setting, examples, Kind.DENSE, "Xavier", tried, steps, 0));
                grid.row(tried, paper, others.getLast().last(), allDense, dense.getLast().last());
                return paper;
              });
      edges.look("He", rate, rates);
      for (int seed = 1; seed <= seeds; seed++) {
        he.add(train(setting, examples, Kind.PAPER, "He", rate, steps, seed));
        xavier.add(train(setting, examples, Kind.PAPER, "Xavier", rate, steps, seed));
      }
    }
    Table ends =
        setting.table(
            "seeds",
            "The same rate for both, " + Numbers.text(rate) + ": training loss at the end",
            List.of("seed", "He", "Xavier"));
    IntStream.range(0, seeds).forEach(i -> ends.row(i + 1, he.get(i).last(), xavier.get(i).last()));
    return new Findings(
        List.of(grid, ends, forward(he.getFirst(), xavier.getFirst())),
        List.of(figure(he.getFirst(), xavier.getFirst(), steps)),
        verdicts(guessing, he, xavier),
        List.of(
            ("%s convolutions (3 x 3, %s filters, the first two with stride 2) and %s dense layers, biases 0,"
                    + " plain SGD without momentum or decay, batches of %s; Xavier is what He et al. compare with, std"
                    + " 1/sqrt(fan-in)")
                .formatted(CONVOLUTIONS, FILTERS, DENSE, BATCH),
            "tuning budget: the rates "
                + Arrays.toString(rates)
                + ", one seed; the one with He's lowest loss is taken for both, as the paper has one recipe for both;"
                + " other seeds are judged",
            edges.note(),
            "tried at all of these rates, Xavier's start " + leaving(others, guessing),
            "not judged, for the paper's nets are convolutional: of %s dense layers of %s Xavier's start %s"
                .formatted(DEPTH, WIDTH, leaving(dense, guessing)),
            "both starts are the same draws, scaled: where all layers have ReLU and biases 0 the forward ratio is exact"
                + " but for rounding, a property of the starts that no training could miss"));
  }

  private static String leaving(List<Outcome> outcomes, double guessing) {
    String rates =
        outcomes.stream()
            .filter(outcome -> outcome.last() < (1 - STALLED) * guessing)
            .map(outcome -> Numbers.text(outcome.rate))
            .collect(Collectors.joining(", "));
    return rates.isEmpty() ? "stays on the plateau" : "leaves the plateau in this budget at " + rates;
  }

  private static Table forward(Outcome he, Outcome xavier) {
    Table table =
        new Table(
            "forward",
            "Standard deviation after each layer, before training, first seed",
            List.of("layer", "He", "Xavier", "ratio", "(1/sqrt 2)^L"));
    for (int i = 0; i < DEPTH; i++) {
      table.row(i + 1, he.deviations[i], xavier.deviations[i], xavier.deviations[i] / he.deviations[i], theory(i));
    }
    return table;
  }

  /** What two starts that differ by √2 in each layer leave of a signal at layer {@code i}, counted from 0. */
  private static double theory(int i) {
    return Math.pow(0.5, (i + 1) / 2.0);
  }

  private static Figure figure(Outcome he, Outcome xavier, int steps) {
    double[] at = Numbers.ends(steps, LOOKS);
    double[] layers = Numbers.counting(1, DEPTH);
    Panel losses =
        Panel.of("Training loss, rate " + Numbers.text(he.rate), "updates", "loss", Scale.LINEAR)
            .line("He", at, he.losses)
            .line("Xavier", at, xavier.losses);
    Panel signals =
        Panel.of("Signal by layer, before training", "layer", "standard deviation", Scale.LOG_Y)
            .line("He", layers, he.deviations)
            .line("Xavier", layers, xavier.deviations);
    return new Figure("he-vs-xavier", 2, List.of(losses, signals));
  }

  /**
   * Judges trainings with the same rate, seed by seed.
   *
   * @param guessing the loss of even probabilities
   */
  static List<Verdict> verdicts(double guessing, List<Outcome> he, List<Outcome> xavier) {
    double highest = Numbers.most(Numbers.each(he, Outcome::last));
    double farthest =
        xavier.stream()
            .mapToDouble(Outcome::last)
            .boxed()
            // NaN compares as larger than every number: it is the farthest.
            .max(Comparator.comparingDouble(last -> Math.abs(last - guessing)))
            .orElseThrow();
    double worst = 1;
    int layer = 0;
    for (int seed = 0; seed < he.size(); seed++) {
      for (int i = 0; i < he.get(seed).deviations.length; i++) {
        double off = xavier.get(seed).deviations[i] / he.get(seed).deviations[i] / theory(i);
        // NaN compares as larger than every number: it differs most.
        if (Double.compare(Math.abs(off - 1), Math.abs(worst - 1)) > 0) {
          worst = off;
          layer = i;
        }
      }
    }
    return List.of(
        Verdict.that(
            "from He's initialisation the loss falls under half of that of guessing, for every seed",
            Numbers.text(highest) + " at most",
            "below " + Numbers.text(guessing / 2),
            highest < guessing / 2),
        Verdict.within(
            "from Xavier's it stays at that of guessing, for every seed; the farthest", farthest, guessing, STALLED),
        Verdict.within(
            "the forward ratio of deviations is (1/sqrt 2)^L at every layer; layer " + (layer + 1) + " differs most",
            worst * theory(layer),
            theory(layer),
            0.2));
  }

  private static Outcome train(
      Setting setting, Splits examples, Kind kind, String start, double rate, int steps, int seed) {
    setting.doing(
        "%s%s, rate %s%s",
        start, kind == Kind.DENSE ? ", all dense" : "", Numbers.text(rate), seed == 0 ? "" : ", seed " + seed);
    Initializer weight = start.equals("He") ? new He() : new LeCun();
    Sequential network = network(kind, weight, examples.classes());
    try (Course course = new Course(setting, network, new Sgd(), examples.training(), BATCH, setting.seed(seed));
        LayerProbe probe =
            new LayerProbe(
                setting, course, examples.test().take(PROBED), (outputs, _) -> addSignals(network, outputs))) {
      Computation seen = probe.look(course);
      double[] deviations = IntStream.range(0, DEPTH).mapToDouble(i -> seen.read("deviation" + i)[0]).toArray();
      double[] losses = new double[LOOKS];
      Arrays.fill(losses, Double.NaN);
      for (int look = 0; look < LOOKS && !course.diverged(); look++) {
        losses[look] = course.train(steps / LOOKS, rate).loss();
      }
      if (course.diverged()) {
        losses[LOOKS - 1] = Double.NaN;
      }
      return new Outcome(rate, losses, deviations);
    }
  }

  private static Sequential network(Kind kind, Initializer weight, int classes) {
    int convolutions = kind == Kind.PAPER ? CONVOLUTIONS : 0;
    List<Layer> layers = new ArrayList<>();
    for (int i = 0; i < convolutions; i++) {
      layers.add(new Conv2d(FILTERS, 3).same().stride(i < 2 ? 2 : 1).init(weight));
      layers.add(new ReLU());
    }
    layers.add(new Flatten());
    for (int i = 0; i < DEPTH - convolutions - 1; i++) {
      layers.add(new Dense(WIDTH, weight, new Zeros()));
      layers.add(new ReLU());
    }
    layers.add(new Dense(classes, weight, new Zeros()));
    return new Sequential(layers);
  }

  /** Adds the deviation behind each ReLU, and that of the logits. */
  private static void addSignals(Sequential network, List<Tensor> outputs) {
    int added = 0;
    for (int i = 0; i < network.layers().size(); i++) {
      if (network.layers().get(i) instanceof ReLU || i == network.layers().size() - 1) {
        Tensor output = outputs.get(i + 1); // The input is in front.
        output.graph().output("deviation" + added++, Statistics.deviation(output, DType.F64));
      }
    }
  }
}
