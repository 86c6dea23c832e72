package dev.lamina.study.experiments;

import dev.lamina.data.FittedPreprocessing;
import dev.lamina.data.Preprocessing;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Flatten;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.init.Normal;
import dev.lamina.nn.init.Zeros;
import dev.lamina.optim.Sgd;
import dev.lamina.search.Interval;
import dev.lamina.search.Space;
import dev.lamina.search.Value;
import dev.lamina.study.Course;
import dev.lamina.study.Figure;
import dev.lamina.study.Findings;
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
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;

/** A random search, coarse and then fine, over rate and regularisation of a small net, with the course's numbers. */
final class TwoLayerSearch {
  static final Study STUDY =
      new Study(
          "two-layer-search",
          "on CIFAR-10 a net of 50 hidden units gets to about 53 % of validation images, once 100 trials with rates of"
              + " 10^U(-6,-3) and regularisation of 10^U(-5,5) are followed by 100 with 10^U(-4,-3) and 10^U(-4,0)",
          "CS231n 2016, lectures 5 and 6: babysitting the learning process, hyper-parameter optimization",
          "2 min; on CIFAR-10 longer",
          TwoLayerSearch::run);

  private static final String CLAIMED_FOR = "CIFAR-10";
  private static final int ALL_IMAGES = 50_000;
  private static final double ENOUGH = 0.5;
  private static final int HIDDEN = 50;
  private static final int BATCH = 100;
  private static final double DECAY = 0.9;
  private static final double STD = 1e-4;
  private static final int HELD_OUT = 1000;
  private static final int SHOWN = 5;

  /** Inputs are bytes less their mean: rates mean something else for inputs of another size. */
  private static final double BYTE = 255;

  private static final List<Space> STAGES = List.of(space(1e-6, 1e-3, 1e-5, 1e5), space(1e-4, 1e-3, 1e-4, 1));

  /**
   * A trial.
   *
   * @param accuracy the highest on validation images after an epoch
   * @param test accuracy then; NaN if an earlier trial was as good, so that nobody asked
   */
  private record Trial(
      int stage, int number, double rate, double reg, double accuracy, double test, boolean diverged) {}

  private TwoLayerSearch() {}

  private static Findings run(Setting setting) {
    int trials = setting.sized(100, 8);
    int epochs = setting.sized(5, 2);
    boolean tested;
    List<Trial> done = new ArrayList<>();
    Table list =
        setting.table("trials", "All trials", List.of("stage", "trial", "val_acc", "lr", "reg", "diverged")).detail();
    try (Arena arena = Arena.ofShared()) {
      Splits all = Splits.open(setting, arena, Integer.MAX_VALUE, HELD_OUT, setting.sized(10_000, 2000));
      tested = all.areAllOf(CLAIMED_FOR, ALL_IMAGES);
      // Where nothing was claimed, less of it will do.
      int images = setting.quick() ? 5000 : tested ? Integer.MAX_VALUE : 20_000;
      Splits examples = new Splits(all.training().take(images), all.validation(), all.test());
      FittedPreprocessing mean = new Preprocessing.Mean(Preprocessing.Per.PIXEL).fit(examples.training());
      double best = -1;
      for (int i = 0; i < trials * STAGES.size(); i++) {
        int stage = i / trials;
        List<Value> values = STAGES.get(stage).draw(setting.seed(0), i + 1);
        double rate = values.get(0).number();
        double reg = values.get(1).number();
        try (Course course =
            new Course(setting, network(examples), new Sgd(reg), examples.training(), BATCH, setting.seed(i), mean)) {
          Trial trial = train(course, examples, stage, i % trials, rate, reg, epochs, best);
          setting.doing("val_acc: %.4f, lr: %.4e, reg: %.4e, (%d / %d)", trial.accuracy, rate, reg, i + 1, 2 * trials);
          done.add(trial);
          list.row(stage + 1, i % trials + 1, trial.accuracy, rate, reg, trial.diverged ? "yes" : "no");
          best = Math.max(best, trial.accuracy);
        }
      }
    }
    return findings(setting, done, list, tested, trials, epochs);
  }

  private static Trial train(
      Course course, Splits examples, int stage, int number, double rate, double reg, int epochs, double bestBefore) {
    double accuracy = 0;
    double test = Double.NaN;
    double decayed = rate;
    for (int epoch = 0; epoch < epochs && !course.diverged(); epoch++) {
      course.train(course.stepsPerEpoch(), decayed);
      double judged = course.judge(examples.validation()).accuracy();
      if (judged > Math.max(accuracy, bestBefore)) {
        test = course.judge(examples.test()).accuracy();
      }
      accuracy = Math.max(accuracy, judged);
      decayed *= DECAY;
    }
    return new Trial(stage, number, rate, reg, accuracy, test, course.diverged());
  }

  private static Findings findings(
      Setting setting, List<Trial> all, Table list, boolean tested, int trials, int epochs) {
    Table best = new Table("best", "The best of each stage", List.of("stage", "val_acc", "lr", "reg", "(i / n)"));
    List<Panel> panels = new ArrayList<>();
    List<String> notes = new ArrayList<>();
    for (int stage = 0; stage < STAGES.size(); stage++) {
      int current = stage;
      List<Trial> own = all.stream().filter(trial -> trial.stage == current).toList();
      List<Trial> sorted = own.stream().sorted(Comparator.comparingDouble(trial -> -trial.accuracy)).toList();
      for (Trial trial : sorted.subList(0, Math.min(SHOWN, sorted.size()))) {
        best.row(stage + 1, trial.accuracy, trial.rate, trial.reg, "(" + (trial.number + 1) + " / " + trials + ")");
      }
      double[] accuracies = Numbers.each(own, trial -> 100 * trial.accuracy);
      String title = stage == 0 ? "Coarse" : "Fine";
      panels.add(points(title, "learning rate", own.stream().mapToDouble(Trial::rate), accuracies));
      panels.add(points(title, "regularisation", own.stream().mapToDouble(Trial::reg), accuracies));
      long diverged = own.stream().filter(Trial::diverged).count();
      notes.add(title.toLowerCase(Locale.ROOT) + " stage: " + diverged + " of " + trials + " diverged");
    }
    Trial winner = all.stream().min(Comparator.comparingDouble(trial -> -trial.accuracy)).orElseThrow();
    notes.add(
        ("the best of all has %s of validation images right, as judged after its best of %s epochs, and %s"
                + " of the test images then")
            .formatted(Numbers.percent(winner.accuracy), epochs, Numbers.percent(winner.test)));
    notes.add(
        ("taken from the course: bytes less the mean image, not divided; %s ReLUs; weights from 0.0001 N,"
                + " biases 0; mean cross-entropy and reg/2 times the sum of squared weights (its loss of 3.07 at"
                + " reg 1000 says so); SGD without momentum (its trainer's default), batches of %s, rate times %s"
                + " after each epoch, %s images held out")
            .formatted(HIDDEN, BATCH, DECAY, HELD_OUT));
    notes.add("tuning budget: the " + 2 * trials + " trials themselves");
    if (!tested) {
      notes.add(
          "the claim was NOT tested: it is about all of CIFAR-10, these are images of "
              + setting.data().name()
              + "; give the folder of CIFAR-10's binary files with --data");
    }
    Verdict verdict = verdict(winner.accuracy);
    return new Findings(
        List.of(best, list),
        List.of(new Figure("two-layer-search", 2, panels)),
        List.of(tested ? verdict : verdict.madeFor(CLAIMED_FOR)),
        notes);
  }

  /** On the highest accuracy on validation images. */
  static Verdict verdict(double accuracy) {
    return Verdict.that(
        "the best trial has at least " + Numbers.percent(ENOUGH) + " of validation images right",
        Numbers.percent(accuracy),
        "about 53 %",
        accuracy >= ENOUGH);
  }

  /** Powers of ten along an even axis: a range of one decade would have no labels on a logarithmic one. */
  private static Panel points(String title, String what, DoubleStream xs, double[] ys) {
    double[] powers = xs.map(Math::log10).toArray();
    return Panel.of(title, what + ", power of 10", "validation accuracy in %", Scale.LINEAR)
        .with(new Curve("trials", powers, ys, Style.POINTS));
  }

  private static Sequential network(Splits examples) {
    Layer bytes = (x, _) -> x.times(BYTE);
    Normal small = new Normal(STD);
    return new Sequential(
        bytes,
        new Flatten(),
        new Dense(HIDDEN, small, new Zeros()),
        new ReLU(),
        new Dense(examples.classes(), small, new Zeros()));
  }

  private static Space space(double leastRate, double mostRate, double leastReg, double mostReg) {
    return new Space(List.of(parameter("lr", leastRate, mostRate), parameter("reg", leastReg, mostReg)));
  }

  private static Space.Parameter parameter(String name, double low, double high) {
    return new Space.Parameter(name, name, new Interval(Interval.Kind.LOG_UNIFORM, low, high, 0, name));
  }
}
