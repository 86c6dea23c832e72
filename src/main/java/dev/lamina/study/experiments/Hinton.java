package dev.lamina.study.experiments;

import dev.lamina.data.Dataset;
import dev.lamina.nn.activation.Activation;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.activation.Sigmoid;
import dev.lamina.nn.init.He;
import dev.lamina.nn.init.Initializer;
import dev.lamina.nn.init.Normal;
import dev.lamina.optim.Momentum;
import dev.lamina.study.Course;
import dev.lamina.study.Figure;
import dev.lamina.study.Findings;
import dev.lamina.study.Networks;
import dev.lamina.study.Panel;
import dev.lamina.study.Panel.Scale;
import dev.lamina.study.Setting;
import dev.lamina.study.Splits;
import dev.lamina.study.Study;
import dev.lamina.study.Table;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/**
 * Four answers to why nets did not work before: too little data, wrong non-linearity, stupid weights, slow machines.
 */
final class Hinton implements Study {
  private static final int DEPTH = 3;
  private static final int WIDTH = 100;
  private static final int BATCH = 100;
  private static final double[] RATES = {0.01, 0.1};
  private static final double[] SHARES = {0.01, 0.1, 1};

  private record Kind(String activation, String start, Activation layer, Initializer weight) {}

  private static final List<Kind> KINDS =
      List.of(
          new Kind("sigmoid", "naive, 0.01 N", new Sigmoid(), new Normal(0.01)),
          new Kind("sigmoid", "He", new Sigmoid(), new He()),
          new Kind("ReLU", "naive, 0.01 N", new ReLU(), new Normal(0.01)),
          new Kind("ReLU", "He", new ReLU(), new He()));

  @Override
  public String name() {
    return "hinton";
  }

  @Override
  public String claim() {
    return "nets did not work for want of labelled data, of fast machines, of sensible first weights and of the right"
        + " non-linearity";
  }

  @Override
  public String source() {
    return "G. Hinton's summary of what was wrong with back-propagation, as CS231n quotes it";
  }

  @Override
  public String duration() {
    return "3 min";
  }

  @Override
  public Findings run(Setting setting) {
    int steps = setting.sized(1500, 200);
    Table table =
        setting.begun(
            new Table(
                "hinton",
                "Test accuracy in % after " + steps + " updates, at the better of two rates",
                "activation",
                "first weights",
                "images",
                "rate",
                "test accuracy in %",
                "seconds of training"));
    Panel panel = Panel.of("Four findings", "training images", "test accuracy in %", Scale.LOG_X);
    try (Arena arena = Arena.ofShared()) {
      Splits examples =
          Splits.open(
              setting, arena, setting.sized(60_000, 10_000), setting.sized(5000, 1000), setting.sized(10_000, 2000));
      for (Kind kind : KINDS) {
        double[] images = new double[SHARES.length];
        double[] accuracies = new double[SHARES.length];
        for (int i = 0; i < SHARES.length; i++) {
          Dataset training = examples.training().take(Math.max(BATCH, (int) (SHARES[i] * examples.training().size())));
          images[i] = training.size();
          double bestRate = RATES[0];
          double bestValidation = -1;
          double seconds = 0;
          for (double rate : RATES) {
            setting.doing("%s, %s, %d images, rate %s", kind.activation, kind.start, training.size(), rate);
            var network = Networks.dense(DEPTH, WIDTH, examples.classes(), kind.layer, kind.weight);
            try (Course course = new Course(setting, network, new Momentum(), training, BATCH, setting.seed())) {
              long begun = System.nanoTime();
              course.train(steps, rate);
              double taken = (System.nanoTime() - begun) * 1e-9;
              double validation = course.judge(examples.validation()).accuracy();
              if (validation > bestValidation) {
                bestValidation = validation;
                accuracies[i] = 100 * course.judge(examples.test()).accuracy();
                bestRate = rate;
                seconds = taken;
              }
            }
          }
          table.row(new ArrayList<>(List.of(kind.activation, kind.start, images[i], bestRate, accuracies[i], seconds)));
        }
        panel = panel.line(kind.activation + ", " + kind.start, images, accuracies);
      }
    }
    return new Findings(
        List.of(table),
        List.of(new Figure("hinton", panel)),
        List.of(),
        List.of(
            DEPTH
                + " hidden layers of "
                + WIDTH
                + ", momentum 0.9, batches of "
                + BATCH
                + "; tuning budget: two rates for each row, of which validation takes the better one",
            "the fourth finding is speed: run it with another --device and compare the last column, which has the time"
                + " of "
                + steps
                + " updates; the first row is also the time in which code is compiled"));
  }
}
