package dev.lamina.study;

import dev.lamina.nn.Dense;
import dev.lamina.nn.Dropout;
import dev.lamina.nn.Flatten;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.optim.Adam;
import dev.lamina.study.Panel.Curve;
import dev.lamina.study.Panel.Scale;
import dev.lamina.study.Panel.Style;
import dev.lamina.train.Evaluation;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What dropout does to the gap between training and test figures. */
final class DropoutStudy implements Study {
  private static final int WIDTH = 256;
  private static final int BATCH = 100;
  private static final int SEEDS = 3;
  private static final double RATE = 1e-3;
  private static final double[] DROPPED = {0, 0.25, 0.5};

  @Override
  public String name() {
    return "dropout";
  }

  @Override
  public String claim() {
    return "dropout narrows the gap between training and test";
  }

  @Override
  public String source() {
    return "Srivastava et al. 2014, Dropout, section 6";
  }

  @Override
  public String duration() {
    return "1 min";
  }

  @Override
  public Findings run(Setting setting) {
    int epochs = setting.sized(40, 10);
    double[] dropped = setting.quick() ? new double[] {0, 0.5} : DROPPED;
    Table table =
        new Table(
            "dropout",
            "After " + epochs + " epochs, mean of " + SEEDS + " seeds; both parts are judged without dropout",
            "dropped",
            "training accuracy in %",
            "test accuracy in %",
            "gap in points",
            "training loss",
            "test loss",
            "gap of losses");
    Panel panel = Panel.of("Loss, first seed (dashed: training)", "epochs", "loss", Scale.LOG_Y);
    double[][] gaps = new double[dropped.length][SEEDS];
    double[][] lossGaps = new double[dropped.length][SEEDS];
    try (Arena arena = Arena.ofShared()) {
      Examples examples = Examples.open(setting, arena, 2000, 0, setting.sized(10_000, 2000));
      for (int d = 0; d < dropped.length; d++) {
        double[][] figures = new double[SEEDS][4];
        for (int seed = 0; seed < SEEDS; seed++) {
          setting.doing("dropped %s, seed %d of %d", Numbers.text(dropped[d]), seed + 1, SEEDS);
          double[] trainingLosses = new double[epochs];
          double[] testLosses = new double[epochs];
          try (Course course =
              new Course(
                  setting,
                  network(examples, dropped[d]),
                  new Adam(),
                  examples.training(),
                  BATCH,
                  setting.seed() + seed)) {
            // Only the first seed is drawn, so only it is judged on the way.
            for (int epoch = 0; epoch < epochs; epoch++) {
              course.train(course.stepsPerEpoch(), RATE);
              if (seed > 0 && epoch + 1 < epochs) {
                continue;
              }
              Evaluation training = course.judge(examples.training());
              Evaluation test = course.judge(examples.test());
              trainingLosses[epoch] = training.loss();
              testLosses[epoch] = test.loss();
              figures[seed] = new double[] {training.accuracy(), test.accuracy(), training.loss(), test.loss()};
            }
          }
          gaps[d][seed] = figures[seed][0] - figures[seed][1];
          lossGaps[d][seed] = figures[seed][3] - figures[seed][2];
          if (seed == 0) {
            String name = "dropped " + Numbers.text(dropped[d]);
            double[] at = Numbers.counting(1, epochs);
            panel = panel.line(name, at, testLosses);
            panel = panel.with(new Curve(name + ", training", at, trainingLosses, Style.DASHED));
          }
        }
        double[] means = Numbers.columnMeans(figures);
        table.row(
            dropped[d],
            100 * means[0],
            100 * means[1],
            100 * (means[0] - means[1]),
            means[2],
            means[3],
            means[3] - means[2]);
      }
    }
    int half = dropped.length - 1;
    return new Findings(
        List.of(table),
        List.of(new Figure("dropout", panel)),
        List.of(
            narrower("accuracy, in points", scaled(gaps[0], 100), scaled(gaps[half], 100)),
            narrower("loss", lossGaps[0], lossGaps[half])),
        List.of(
            "2000 training images, two hidden layers of "
                + WIDTH
                + " ReLUs with dropout behind each, Adam at "
                + RATE
                + ", batches of "
                + BATCH
                + "; nothing is tuned"));
  }

  private static double[] scaled(double[] values, double factor) {
    return Arrays.stream(values).map(v -> v * factor).toArray();
  }

  private static Verdict narrower(String what, double[] without, double[] with) {
    boolean always = true;
    for (int seed = 0; seed < SEEDS; seed++) {
      always &= with[seed] < without[seed];
    }
    return Verdict.that(
        "the gap of " + what + ", is narrower with half of the units dropped, for every seed",
        Numbers.text(Numbers.mean(with)) + " against " + Numbers.text(Numbers.mean(without)) + " on average",
        "narrower",
        always);
  }

  private static Sequential network(Examples examples, double dropped) {
    List<Layer> layers = new ArrayList<>(List.of(new Flatten()));
    for (int i = 0; i < 2; i++) {
      layers.addAll(List.of(new Dense(WIDTH), new ReLU(), new Dropout(dropped)));
    }
    layers.add(new Dense(examples.classes()));
    return new Sequential(layers);
  }
}
