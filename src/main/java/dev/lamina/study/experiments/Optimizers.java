package dev.lamina.study.experiments;

import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.init.He;
import dev.lamina.optim.Adagrad;
import dev.lamina.optim.Adam;
import dev.lamina.optim.AdamW;
import dev.lamina.optim.Momentum;
import dev.lamina.optim.Nesterov;
import dev.lamina.optim.Optimizer;
import dev.lamina.optim.RmsProp;
import dev.lamina.optim.Sgd;
import dev.lamina.study.Course;
import dev.lamina.study.Edges;
import dev.lamina.study.Figure;
import dev.lamina.study.Findings;
import dev.lamina.study.Networks;
import dev.lamina.study.Numbers;
import dev.lamina.study.Panel;
import dev.lamina.study.Panel.Scale;
import dev.lamina.study.Setting;
import dev.lamina.study.Splits;
import dev.lamina.study.Study;
import dev.lamina.study.Table;
import dev.lamina.study.Tuning;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Seven optimizers on the same net, each at its own best rate, and in a ravine. */
final class Optimizers {
  static final Study STUDY =
      new Study(
          "optimizers",
          "how SGD, momentum, Nesterov, Adagrad, RMSprop, Adam and AdamW compare, each at its own tuned rate",
          "CS231n notes, neural networks part 3: parameter updates",
          "30 s",
          Optimizers::run);

  private static final int DEPTH = 2;
  private static final int WIDTH = 100;
  private static final int BATCH = 100;
  private static final int LOOKS = 20;
  private static final int SEEDS = 3;

  /** Lower heights would leave no room for the others. */
  private static final double LOWEST_DRAWN = 1e-8;

  private static final double[] SMALL_RATES = {0.0003, 0.001, 0.003, 0.01, 0.03};
  private static final double[] LARGE_RATES = {0.01, 0.03, 0.1, 0.3, 1};

  /** In two dimensions anything is cheap. */
  private static final double[] RAVINE_RATES = {0.003, 0.01, 0.02, 0.03, 0.1, 0.2, 0.3, 0.5, 1, 2};

  private record Kind(String name, Optimizer optimizer, double[] rates) {}

  private static final List<Kind> KINDS =
      List.of(
          new Kind("SGD", new Sgd(), LARGE_RATES),
          new Kind("momentum", new Momentum(), new double[] {0.003, 0.01, 0.03, 0.1, 0.3}),
          new Kind("Nesterov", new Nesterov(), new double[] {0.003, 0.01, 0.03, 0.1, 0.3}),
          new Kind("Adagrad", new Adagrad(), new double[] {0.001, 0.003, 0.01, 0.03, 0.1}),
          new Kind("RMSprop", new RmsProp(), SMALL_RATES),
          new Kind("Adam", new Adam(), SMALL_RATES),
          new Kind("AdamW", new AdamW(), SMALL_RATES));

  private record Outcome(double[] losses, double accuracy) {
    double last() {
      return losses[LOOKS - 1];
    }
  }

  private Optimizers() {}

  private static Findings run(Setting setting) {
    int steps = setting.sized(600, 100);
    int seeds = setting.sized(SEEDS, 1);
    Table grid =
        setting.table("rates", "Mean training loss of the last updates", List.of("optimizer", "rate", "loss")).detail();
    Table table =
        setting.table(
            "optimizers",
            "After %s updates, mean and deviation of %s seeds, and %s steps in the ravine"
                .formatted(steps, seeds, Ravine.STEPS),
            List.of(
                "optimizer",
                "rate",
                "at the grid's edge",
                "training loss",
                "deviation of the loss",
                "validation accuracy in %",
                "deviation of the accuracy",
                "ravine's rate",
                "height in the ravine"));
    Panel losses = Panel.of("Training loss, each at its best rate, first seed", "updates", "loss", Scale.LOG_Y);
    List<Panel> ravine = new ArrayList<>();
    Panel heights = Panel.of("Height in the ravine, down to 1e-8", "steps", "f", Scale.LOG_Y);
    double[] at = Numbers.ends(steps, LOOKS);
    try (Arena arena = Arena.ofShared()) {
      Splits examples = Splits.open(setting, arena, setting.sized(20_000, 5000), 5000, 1);
      for (Kind kind : KINDS) {
        double[] rates = setting.quick() ? Arrays.copyOfRange(kind.rates, 1, 4) : kind.rates;
        double rate = tuned(setting, examples, kind, rates, steps, grid);
        List<Outcome> outcomes = new ArrayList<>();
        for (int seed = 1; seed <= seeds; seed++) {
          setting.doing("%s, seed %d of %d", kind.name, seed, seeds);
          // The seed that rates were tuned with is none of these.
          outcomes.add(train(setting, examples, kind, rate, steps, setting.seed(seed)));
        }
        double[] last = Numbers.each(outcomes, Outcome::last);
        double[] accuracies = Numbers.each(outcomes, outcome -> 100 * outcome.accuracy);
        Ravine.Path path = Ravine.best(setting, kind.optimizer, RAVINE_RATES);
        table.row(
            kind.name,
            rate,
            Edges.isAtEnd(rate, rates) ? "yes" : "no",
            Numbers.mean(last),
            Numbers.deviation(last),
            Numbers.mean(accuracies),
            Numbers.deviation(accuracies),
            path.rate(),
            path.last());
        losses = losses.line(kind.name, at, outcomes.getFirst().losses);
        heights =
            heights.line(
                kind.name, Numbers.counting(0, Ravine.STEPS + 1), Numbers.atLeast(LOWEST_DRAWN, path.values()));
        ravine.add(
            Panel.of(kind.name + ", rate " + Numbers.text(path.rate()), "x (flat)", "y (steep)", Scale.LINEAR)
                .line(kind.name, path.xs(), path.ys()));
      }
    }
    ravine.add(heights);
    return new Findings(
        List.of(table, grid),
        List.of(new Figure("losses", losses), new Figure("ravine", 2, ravine)),
        List.of(),
        List.of(
            ("%s hidden layers of %s ReLUs, batches of %s; a deviation needs more than one seed, and a loss is"
                    + " a dash where one of them diverged; the ravine is (x^2 + 50 y^2)/2 from (-8, 1)")
                .formatted(DEPTH, WIDTH, BATCH),
            ("tuning budget: %s rates a half decade apart for each (rates.csv has all), one seed that is not"
                    + " used again, lowest training loss at the end; in the ravine %s")
                .formatted(setting.quick() ? 3 : SMALL_RATES.length, Arrays.toString(RAVINE_RATES)),
            "the ravine lies along an axis, which suits methods that scale each coordinate by itself",
            "a rate at the edge of its grid might not be the best"));
  }

  private static double tuned(Setting setting, Splits examples, Kind kind, double[] rates, int steps, Table grid) {
    return Tuning.lowest(
        rates,
        rate -> {
          setting.doing("%s, rate %s", kind.name, Numbers.text(rate));
          double loss = train(setting, examples, kind, rate, steps, setting.seed(0)).last();
          grid.row(kind.name, rate, loss);
          return loss;
        });
  }

  private static Outcome train(Setting setting, Splits examples, Kind kind, double rate, int steps, long seed) {
    var network = Networks.dense(DEPTH, WIDTH, examples.classes(), new ReLU(), new He());
    try (Course course = new Course(setting, network, kind.optimizer, examples.training(), BATCH, seed)) {
      double[] losses = course.losses(steps, rate, LOOKS);
      return new Outcome(losses, course.judge(examples.validation()).accuracy());
    }
  }
}
