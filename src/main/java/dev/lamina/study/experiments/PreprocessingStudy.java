package dev.lamina.study.experiments;

import dev.lamina.data.Dataset;
import dev.lamina.data.FittedPreprocessing;
import dev.lamina.data.Preprocessing;
import dev.lamina.data.PrincipalComponents;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Flatten;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.init.Zeros;
import dev.lamina.optim.Sgd;
import dev.lamina.study.Computation;
import dev.lamina.study.Course;
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
import dev.lamina.study.Verdict;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** How the preparation of inputs conditions the problem, and what that costs plain gradient descent. */
final class PreprocessingStudy {
  static final Study STUDY =
      new Study(
          "preprocessing",
          "subtracting the mean, dividing by the deviation and whitening each condition the problem better, and plain"
              + " gradient descent needs fewer epochs",
          "LeCun et al. 1998, Efficient BackProp, sections 4.3 and 5",
          "1 min",
          PreprocessingStudy::run);

  /** Of the trace: directions beyond hold next to nothing, and constant pixels nothing at all. */
  private static final double SHARE = 0.99;

  private static final double TARGET = 0.3;

  /** Rates in units of 1/λ: the loss is at most half as curved as least squares, so 4 and less cannot diverge. */
  private static final double[] RATES = {4, 8, 16, 32, 64, 128, 256};

  private static final int COMPONENTS = 50;

  private record Kind(String name, Preprocessing preprocessing) {}

  private static final List<Kind> KINDS =
      List.of(
          new Kind("none", new Preprocessing.None()),
          new Kind("mean", new Preprocessing.Mean(Preprocessing.Per.PIXEL)),
          new Kind("z-score", new Preprocessing.ZScore(Preprocessing.Per.PIXEL)),
          new Kind("whitened", new Preprocessing.Whiten(Preprocessing.Basis.PCA)),
          new Kind("PCA, " + COMPONENTS + " components", Preprocessing.Pca.components(COMPONENTS)));

  /**
   * Eigenvalues of the Hessian of least squares.
   *
   * @param values descending
   * @param held how many, the largest first, hold {@link #SHARE} of their sum
   */
  record Spectrum(double[] values, int held) {
    static Spectrum of(double[] hessian, int size) {
      double[] values = PrincipalComponents.of(hessian, size).variances();
      double sum = Arrays.stream(values).sum();
      int held = 0;
      for (double reached = 0; reached < SHARE * sum; held++) {
        reached += values[held];
      }
      return new Spectrum(values, held);
    }

    double largest() {
      return values[0];
    }

    double condition() {
      return values[0] / values[held - 1];
    }
  }

  /**
   * A descent.
   *
   * @param rate in units of 1/λ
   * @param losses before each update, up to the target or the last
   * @param epochs until the loss is at the target; infinite if it does not get there
   * @param accuracy on test images then
   */
  private record Descent(double rate, Spectrum spectrum, double[] losses, double epochs, double accuracy) {
    double last() {
      return losses[losses.length - 1];
    }
  }

  private PreprocessingStudy() {}

  private static Findings run(Setting setting) {
    int images = setting.sized(5000, 2000);
    int most = setting.sized(500, 300);
    int parts = setting.sized(3, 2);
    Table table =
        setting.table(
            "preprocessing",
            "Softmax regression on " + images + " images, mean of " + parts + " parts of the data",
            List.of(
                "inputs",
                "largest eigenvalue",
                "directions of 99 %",
                "condition of these",
                "rate, over 1/largest",
                "epochs to a loss of " + TARGET,
                "test accuracy in % then"));
    Table grid = setting.table("rates", "First part", List.of("inputs", "rate, over 1/largest", "epochs")).detail();
    Panel losses = Panel.of("Training loss, each at its best rate", "epochs", "loss", Scale.LOG_BOTH);
    Panel spectra = Panel.of("Hessian of least squares", "eigenvalue", "of the largest", Scale.LOG_BOTH);
    double[] conditions = new double[KINDS.size()];
    double[] epochs = new double[KINDS.size()];
    try (Arena arena = Arena.ofShared()) {
      Splits examples = Splits.open(setting, arena, parts * images, 0, setting.sized(10_000, 2000));
      for (int k = 0; k < KINDS.size(); k++) {
        Kind kind = KINDS.get(k);
        List<Descent> descents = descents(setting, examples, kind, parts, most, grid);
        Descent first = descents.getFirst();
        conditions[k] = Numbers.mean(descents, d -> d.spectrum.condition());
        epochs[k] = Numbers.mean(descents, Descent::epochs);
        table.row(
            kind.name,
            Numbers.mean(descents, d -> d.spectrum.largest()),
            Numbers.mean(descents, d -> d.spectrum.held),
            conditions[k],
            first.rate,
            epochs[k],
            100 * Numbers.mean(descents, Descent::accuracy));
        losses = losses.line(kind.name, Numbers.counting(1, first.losses.length), first.losses);
        double[] shares = Arrays.stream(first.spectrum.values).map(v -> v / first.spectrum.largest()).toArray();
        int shown = (int) Arrays.stream(shares).filter(share -> share > 1e-6).count();
        spectra = spectra.line(kind.name, Numbers.counting(1, shown), Arrays.copyOf(shares, shown));
      }
    }
    List<Verdict> verdicts = new ArrayList<>();
    for (int k = 1; k <= 3; k++) {
      verdicts.add(less("condition", k, conditions));
      verdicts.add(setting.onMnist(less("number of epochs to a loss of " + TARGET, k, epochs)));
    }
    return new Findings(
        List.of(table, grid),
        List.of(new Figure("preprocessing", 2, List.of(losses, spectra))),
        verdicts,
        List.of(
            "the Hessian of least squares is the mean of x·xᵀ with a 1 for the bias in each x, so that of centred"
                + " inputs has their covariance; pixels that are constant give it eigenvalues of 0, so its condition is"
                + " that of the directions, most curved first, that hold 99 % of its trace",
            "weights begin as zeros, each update sees all images; inputs are bytes (none), or bytes over 255 that are"
                + " prepared by pixel; PCA turns the axes, which conditions nothing, and leaves out all but "
                + COMPONENTS
                + "; whitening has epsilon 1e-5",
            ("tuning budget: the rates %s over the largest eigenvalue for each, of which the one with the"
                    + " fewest epochs on the first part counts (then the lowest loss); %s epochs at most")
                .formatted(Arrays.toString(RATES), most)));
  }

  private static Verdict less(String what, int kind, double[] values) {
    return Verdict.that(
        "the " + what + " of " + KINDS.get(kind).name + " is lower than that of " + KINDS.get(kind - 1).name,
        Numbers.text(values[kind]) + " against " + Numbers.text(values[kind - 1]),
        "lower",
        values[kind] < values[kind - 1]);
  }

  /** One for each part of the data, at the rate that is best on the first. */
  private static List<Descent> descents(Setting setting, Splits examples, Kind kind, int parts, int most, Table grid) {
    List<Descent> tried = new ArrayList<>();
    Dataset first = part(examples, 0, parts);
    FittedPreprocessing fitted = kind.preprocessing.fit(first);
    Spectrum spectrum = spectrum(setting, examples, first, fitted);
    for (double rate : RATES) {
      setting.doing("%s, rate %s over the largest eigenvalue", kind.name, Numbers.text(rate));
      tried.add(descend(setting, examples, first, fitted, spectrum, rate, most));
      grid.row(kind.name, rate, tried.getLast().epochs);
    }
    List<Descent> descents = new ArrayList<>(List.of(best(tried)));
    for (int p = 1; p < parts; p++) {
      setting.doing("%s, part %d of %d", kind.name, p + 1, parts);
      Dataset part = part(examples, p, parts);
      FittedPreprocessing ofPart = kind.preprocessing.fit(part);
      Spectrum seen = spectrum(setting, examples, part, ofPart);
      descents.add(descend(setting, examples, part, ofPart, seen, descents.getFirst().rate, most));
    }
    return descents;
  }

  private static Descent best(List<Descent> tried) {
    // NaN compares as larger than every number.
    return tried.stream()
        .min(Comparator.comparingDouble(Descent::epochs).thenComparingDouble(Descent::last))
        .orElseThrow();
  }

  private static Dataset part(Splits examples, int part, int parts) {
    int size = examples.training().size() / parts;
    return examples.training().subset(IntStream.range(part * size, (part + 1) * size).toArray());
  }

  private static Descent descend(
      Setting setting,
      Splits examples,
      Dataset training,
      FittedPreprocessing fitted,
      Spectrum spectrum,
      double rate,
      int most) {
    try (Course course = course(setting, examples, training, fitted)) {
      double[] losses = new double[most];
      int epoch = 0;
      // A bad step leaves the weights as they are, and the loss as it was.
      while (epoch < most && (epoch == 0 || losses[epoch - 1] > TARGET) && !course.diverged()) {
        losses[epoch++] = course.train(1, rate / spectrum.largest()).loss();
      }
      // The loss that an update tells is that before it.
      boolean reached = losses[epoch - 1] <= TARGET;
      double accuracy = course.judge(examples.test()).accuracy();
      return new Descent(
          rate, spectrum, Arrays.copyOf(losses, epoch), reached ? epoch - 1 : Double.POSITIVE_INFINITY, accuracy);
    }
  }

  private static Course course(Setting setting, Splits examples, Dataset training, FittedPreprocessing fitted) {
    var network = new Sequential(new Flatten(), new Dense(examples.classes(), new Zeros(), new Zeros()));
    return new Course(setting, network, new Sgd(), training, training.size(), setting.seed(0), fitted);
  }

  /** Of the inputs as the first layer gets them. */
  private static Spectrum spectrum(Setting setting, Splits examples, Dataset training, FittedPreprocessing fitted) {
    try (Course course = course(setting, examples, training, fitted);
        LayerProbe probe =
            new LayerProbe(
                setting,
                course,
                training,
                (outputs, labels) -> {
                  var inputs = outputs.get(1);
                  labels.graph().output("products", inputs.matmul(inputs, true, false).times(1.0 / training.size()));
                  labels.graph().output("mean", inputs.mean(0));
                })) {
      Computation seen = probe.look(course);
      return Spectrum.of(withBias(seen.read("products"), seen.read("mean")), seen.read("mean").length + 1);
    }
  }

  /** The mean of {@code [x 1]ᵀ·[x 1]}, of that of {@code xᵀ·x} and of x. */
  static double[] withBias(double[] products, double[] mean) {
    int size = mean.length + 1;
    double[] hessian = new double[size * size];
    for (int i = 0; i < mean.length; i++) {
      System.arraycopy(products, i * mean.length, hessian, i * size, mean.length);
      hessian[i * size + mean.length] = mean[i];
      hessian[mean.length * size + i] = mean[i];
    }
    hessian[size * size - 1] = 1;
    return hessian;
  }
}
