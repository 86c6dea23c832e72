package dev.lamina.study.experiments;

import dev.lamina.data.Dataset;
import dev.lamina.device.Device;
import dev.lamina.device.Devices;
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
import dev.lamina.study.Numbers;
import dev.lamina.study.Panel;
import dev.lamina.study.Panel.Scale;
import dev.lamina.study.Setting;
import dev.lamina.study.Splits;
import dev.lamina.study.Study;
import dev.lamina.study.Table;
import dev.lamina.study.Tuning;
import dev.lamina.study.Watcher;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/**
 * Four answers to why nets did not work before: too little data, wrong non-linearity, stupid weights, slow machines.
 */
final class Hinton {
  static final Study STUDY =
      new Study(
          "hinton",
          "nets did not work for want of labelled data, of fast machines, of sensible first weights and of the right"
              + " non-linearity",
          "G. Hinton's summary of what was wrong with back-propagation, as CS231n quotes it",
          "2 min",
          Hinton::run);

  private static final int DEPTH = 3;
  private static final int WIDTH = 100;
  private static final int BATCH = 100;
  private static final int SEEDS = 3;
  private static final int WARM_UP = 50;
  private static final double[] RATES = {0.01, 0.1};
  private static final double[] SHARES = {0.01, 0.1, 1};

  private record Kind(String activation, String start, Activation layer, Initializer weight) {}

  private static final List<Kind> KINDS =
      List.of(
          new Kind("sigmoid", "naive, 0.01 N", new Sigmoid(), new Normal(0.01)),
          new Kind("sigmoid", "He", new Sigmoid(), new He()),
          new Kind("ReLU", "naive, 0.01 N", new ReLU(), new Normal(0.01)),
          new Kind("ReLU", "He", new ReLU(), new He()));

  private Hinton() {}

  private static Findings run(Setting setting) {
    int steps = setting.sized(1500, 200);
    int seeds = setting.sized(SEEDS, 1);
    Table table =
        setting.table(
            "hinton",
            "Test accuracy in % after " + steps + " updates, at the better of two rates, " + seeds + " seeds",
            List.of(
                "activation",
                "first weights",
                "images",
                "rate",
                "test accuracy in %",
                "its deviation",
                "seconds of training"));
    Table speed =
        setting.table("speed", "Seconds of " + steps + " updates on each device", List.of("device", "sigmoid", "ReLU"));
    List<String> notes = new ArrayList<>();
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
          double rate = tuned(setting, examples, training, kind, steps);
          double[] each = new double[seeds];
          double seconds = 0;
          for (int seed = 1; seed <= seeds; seed++) {
            setting.doing(
                "%s, %s, %d images, seed %d of %d", kind.activation, kind.start, training.size(), seed, seeds);
            // The seed that rates were tuned with is none of these.
            try (Course course = course(setting, examples, training, kind, setting.seed(seed))) {
              long begun = System.nanoTime();
              course.train(steps, rate);
              seconds += (System.nanoTime() - begun) * 1e-9 / seeds;
              each[seed - 1] = 100 * course.judge(examples.test()).accuracy();
            }
          }
          accuracies[i] = Numbers.mean(each);
          table.row(kind.activation, kind.start, images[i], rate, accuracies[i], Numbers.deviation(each), seconds);
        }
        panel = panel.line(kind.activation + ", " + kind.start, images, accuracies);
      }
      compare(setting, examples, steps, speed, notes);
    }
    notes.addAll(
        List.of(
            ("%s hidden layers of %s, momentum 0.9, batches of %s; tuning budget: two rates for each row, one"
                    + " seed that is not used again, of which validation takes the better one; a deviation needs more"
                    + " than one seed")
                .formatted(DEPTH, WIDTH, BATCH),
            "the fourth finding is speed: the same updates on all devices of this machine but the reference, whose"
                + " purpose is another; nets with He's start, after "
                + WARM_UP
                + " updates to warm up"));
    return new Findings(List.of(table, speed), List.of(new Figure("hinton", panel)), List.of(), notes);
  }

  /** The same updates on the device of the study and on the others; why there are none goes to {@code notes}. */
  private static void compare(Setting setting, Splits examples, int steps, Table speed, List<String> notes) {
    speed.numbers(setting.device().name(), seconds(setting, examples, steps));
    for (Devices.Choice other : setting.others().get()) {
      try (Device device = other.open()) {
        speed.numbers(other.name(), seconds(setting.on(device), examples, steps));
      } catch (Watcher.Stopped e) {
        throw e;
      } catch (RuntimeException e) {
        // Nobody asked for this device: it may be busy, and what was found without it still holds.
        notes.add(other.name() + " was not timed: " + e.getMessage());
      }
    }
  }

  /** Of a net of sigmoids and one of ReLUs. */
  private static double[] seconds(Setting setting, Splits examples, int steps) {
    double[] seconds = new double[2];
    for (int i = 0; i < seconds.length; i++) {
      Kind kind = KINDS.get(1 + 2 * i);
      setting.doing("%s on %s", kind.activation, setting.device().name());
      try (Course course = course(setting, examples, examples.training(), kind, setting.seed(0))) {
        course.train(WARM_UP, RATES[0]);
        long begun = System.nanoTime();
        course.train(steps, RATES[0]);
        seconds[i] = (System.nanoTime() - begun) * 1e-9;
      }
    }
    return seconds;
  }

  /** The rate with which more of the validation images are right. */
  private static double tuned(Setting setting, Splits examples, Dataset training, Kind kind, int steps) {
    return Tuning.highest(
        RATES,
        rate -> {
          setting.doing("%s, %s, %d images, rate %s", kind.activation, kind.start, training.size(), rate);
          try (Course course = course(setting, examples, training, kind, setting.seed(0))) {
            course.train(steps, rate);
            return course.judge(examples.validation()).accuracy();
          }
        });
  }

  private static Course course(Setting setting, Splits examples, Dataset training, Kind kind, long seed) {
    var network = Networks.dense(DEPTH, WIDTH, examples.classes(), kind.layer, kind.weight);
    return new Course(setting, network, new Momentum(), training, BATCH, seed);
  }
}
