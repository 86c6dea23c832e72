package dev.lamina.study.experiments;

import dev.lamina.nn.activation.Activation;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.activation.Tanh;
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
import dev.lamina.study.experiments.SignalStack.Signals;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** How initial weights decide whether a signal reaches the last of ten layers. */
final class ActivationStatistics {
  static final Study STUDY =
      new Study(
              "activation-statistics",
              "small weights let tanh and ReLU die out over ten layers, unit weights saturate tanh, 1/sqrt(fan-in)"
                  + " keeps tanh alive, ReLU takes sqrt(2/fan-in)",
              "CS231n, lecture on training neural networks: weight initialisation; Glorot and Bengio 2010; He et al."
                  + " 2015",
              "2 min",
              ActivationStatistics::run)
          .withoutData();

  private static final int EXAMPLES = 1000;
  private static final int WIDTH = 500;
  private static final int LAYERS = 10;
  private static final int BINS = 30;
  private static final double NONE = Double.NaN;

  private static final double FAN_IN = 1 / Math.sqrt(WIDTH);

  /**
   * An initialisation and the deviations that were published for it.
   *
   * @param deviations by layer, NaN where none was published
   * @param tolerance share by which the mean over seeds may differ
   */
  private record Row(String name, Activation activation, double std, double[] deviations, double tolerance) {
    boolean isTanh() {
      return activation instanceof Tanh;
    }
  }

  private static final double[] RELU_FAN_IN = {.5839, .4138, .2915, .2060, .1459, .1033, .0733, .0514, .0363, .0255};

  private static final List<Row> ROWS =
      List.of(
          new Row(
              "tanh, 0.01 N",
              new Tanh(),
              0.01,
              new double[] {.2135, .0476, .01063, NONE, NONE, NONE, NONE, NONE, NONE, 2.98e-7},
              0.05),
          new Row("tanh, N(0,1)", new Tanh(), 1, constant(.982), 0.01),
          new Row(
              "tanh, 1/sqrt(fan-in)",
              new Tanh(),
              FAN_IN,
              new double[] {.6277, .4858, .4074, .3568, .3211, .2940, .2729, .2549, .2406, .2282},
              0.01),
          new Row("ReLU, 1/sqrt(fan-in)", new ReLU(), FAN_IN, RELU_FAN_IN, 0.05),
          new Row("ReLU, sqrt(2/fan-in)", new ReLU(), Math.sqrt(2) * FAN_IN, growing(RELU_FAN_IN), 0.05));

  private static double[] constant(double value) {
    double[] values = new double[LAYERS];
    Arrays.fill(values, value);
    return values;
  }

  /** Each layer's weights are √2 times as large, and ReLU passes factors on. */
  private static double[] growing(double[] deviations) {
    return IntStream.range(0, deviations.length)
        .mapToDouble(layer -> deviations[layer] * Math.pow(2, (layer + 1) / 2.0))
        .toArray();
  }

  private ActivationStatistics() {}

  private static Findings run(Setting setting) {
    int tanhSeeds = setting.sized(8, 2);
    int reluSeeds = setting.sized(64, 4);
    List<Panel> panels = new ArrayList<>();
    List<Signals> means = new ArrayList<>();
    List<String> columns = new ArrayList<>(List.of("standard deviation of"));
    IntStream.rangeClosed(1, LAYERS).forEach(layer -> columns.add("layer " + layer));
    Table table =
        setting.table(
            "deviations",
            "Standard deviation after each layer, mean of " + tanhSeeds + " seeds (tanh) and " + reluSeeds + " (ReLU)",
            columns);
    List<Verdict> verdicts = new ArrayList<>();
    Panel curves = Panel.of("Signal by layer", "layer", "standard deviation", Scale.LOG_Y);
    for (boolean isTanh : new boolean[] {true, false}) {
      List<Row> rows = ROWS.stream().filter(row -> row.isTanh() == isTanh).toList();
      List<Signals> measured = measured(setting, rows, isTanh ? tanhSeeds : reluSeeds, panels);
      means.addAll(measured);
      for (int i = 0; i < rows.size(); i++) {
        Row row = rows.get(i);
        double[] deviations = measured.get(i).deviation();
        table.numbers(row.name, deviations);
        table.numbers("  published", row.deviations);
        verdicts.add(verdict(row, deviations));
        curves = curves.line(row.name, Numbers.counting(1, LAYERS), deviations);
      }
    }
    double[] layers = IntStream.range(0, ROWS.size() * LAYERS).mapToDouble(i -> i % LAYERS + 1).toArray();
    double[] published = ROWS.stream().flatMapToDouble(row -> Arrays.stream(row.deviations)).toArray();
    curves = curves.with(new Curve("published", layers, published, Style.CROSSES));
    verdicts.add(
        Verdict.within(
            "of tanh units under N(0,1) weights, a share of 92.5 % lies beyond 0.97 in size, mean of all layers",
            Numbers.mean(means.get(1).beyond()), 0.925, ROWS.get(1).tolerance));
    return new Findings(
        List.of(table),
        List.of(new Figure("signal-by-layer", curves), new Figure("histograms", LAYERS, panels)),
        verdicts,
        List.of(
            "%s x %s unit Gaussian inputs, %s layers of %s, no bias; nothing is tuned"
                .formatted(EXAMPLES, WIDTH, LAYERS, WIDTH),
            "the published figures are of one draw each; the row ReLU, sqrt(2/fan-in) is the one before times sqrt(2)"
                + " for each layer",
            "tolerances: 1 % for tanh with 1/sqrt(fan-in) and N(0,1), 5 % for all others"));
  }

  /** The mean signals of rows with one activation; histograms of the first seed are added to {@code panels}. */
  private static List<Signals> measured(Setting setting, List<Row> rows, int seeds, List<Panel> panels) {
    Activation activation = rows.getFirst().activation;
    double[][][] deviations = new double[rows.size()][seeds][];
    double[][][] beyond = new double[rows.size()][seeds][];
    try (SignalStack stack = new SignalStack(setting, EXAMPLES, WIDTH, LAYERS, activation, 0)) {
      for (int seed = 0; seed < seeds; seed++) {
        setting.doing("%s, seed %d of %d", rows.getFirst().isTanh() ? "tanh" : "ReLU", seed + 1, seeds);
        stack.draw(setting.seed(seed));
        for (int i = 0; i < rows.size(); i++) {
          Signals signals = stack.at(rows.get(i).std);
          deviations[i][seed] = signals.deviation();
          beyond[i][seed] = signals.beyond();
        }
      }
    }
    try (SignalStack stack = new SignalStack(setting, EXAMPLES, WIDTH, LAYERS, activation, BINS)) {
      stack.draw(setting.seed(0));
      for (Row row : rows) {
        panels.addAll(histograms(row.name, stack.at(row.std)));
      }
    }
    List<Signals> means = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      double[] none = new double[0];
      means.add(
          new Signals(Numbers.columnMeans(deviations[i]), Numbers.columnMeans(beyond[i]), none, none, new double[0][]));
    }
    return means;
  }

  /** A small histogram for each layer. */
  static List<Panel> histograms(String name, Signals signals) {
    return IntStream.range(0, signals.histogram().length)
        .mapToObj(layer ->
            Panel.histogram(
                layer == 0 ? name : "layer " + (layer + 1),
                signals.low()[layer],
                signals.high()[layer],
                signals.histogram()[layer]))
        .toList();
  }

  /** Judges a row by the layer that differs most. */
  private static Verdict verdict(Row row, double[] measured) {
    // NaN compares as larger than every number: it differs most.
    int worst =
        IntStream.range(0, LAYERS)
            .filter(layer -> !Double.isNaN(row.deviations[layer])) // nothing was published
            .boxed()
            .max(Comparator.comparingDouble(layer -> Math.abs(measured[layer] / row.deviations[layer] - 1)))
            .orElseThrow();
    return Verdict.within(
        row.name + ": standard deviation at every layer; layer " + (worst + 1) + " differs most",
        measured[worst],
        row.deviations[worst],
        row.tolerance);
  }
}
