package dev.lamina.study.experiments;

import dev.lamina.nn.Dense;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.init.Orthogonal;
import dev.lamina.nn.init.Xavier;
import dev.lamina.nn.recurrent.Rnn;
import dev.lamina.nn.recurrent.Rnn.Nonlinearity;
import dev.lamina.optim.GradientClip;
import dev.lamina.optim.Optimizer;
import dev.lamina.study.Course;
import dev.lamina.study.Figure;
import dev.lamina.study.Findings;
import dev.lamina.study.Numbers;
import dev.lamina.study.Panel;
import dev.lamina.study.Setting;
import dev.lamina.study.Splits;
import dev.lamina.study.Study;
import dev.lamina.study.Table;
import dev.lamina.study.Verdict;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What is left of a gradient on its way back through time, and what clipping does about gradients that explode: three
 * experiments with nets of the same size on the same images.
 */
final class VanishingRnn {
  static final Study STUDY =
      new Study(
          "vanishing-rnn",
          "through time the gradient of a plain RNN decays or explodes geometrically, that of an LSTM holds much"
              + " better; clipping bounds the update and keeps training from diverging",
          "Pascanu et al. 2013, On the difficulty of training RNNs, sections 2 and 3.2; Hochreiter and Schmidhuber"
              + " 1997",
          "2 min",
          VanishingRnn::run);

  static final int UNITS = 64;
  private static final int BATCH = 100;

  /** What a gradient's norm is clipped to. */
  static final double LIMIT = 1;

  record Net(String name, Layer layer) {}

  /** What came out of one of the experiments. */
  record Part(List<Table> tables, List<Panel> panels, List<Verdict> verdicts) {}

  private VanishingRnn() {}

  private static Findings run(Setting setting) {
    List<Part> parts;
    try (Arena arena = Arena.ofShared()) {
      Splits examples = Splits.open(setting, arena, setting.sized(20_000, 5000), 0, setting.sized(10_000, 2000));
      parts =
          List.of(
              RnnBeforeTraining.part(setting, examples),
              RnnAfterTraining.part(setting, examples),
              RnnClipping.part(setting, examples));
    }
    return new Findings(
        parts.stream().flatMap(part -> part.tables.stream()).toList(),
        List.of(new Figure("vanishing-rnn", 2, parts.stream().flatMap(part -> part.panels.stream()).toList())),
        parts.stream().flatMap(part -> part.verdicts.stream()).toList(),
        List.of(
            ("%s units, batches of %s; before training images are read in halves of rows, in training row by"
                    + " row; a share is that of the gradient's norm at the first step in that at the last")
                .formatted(UNITS, BATCH),
            "recurrent weights begin orthogonal times the radius: spectral radius and all singular values are that; the"
                + " LSTM's forget bias is 1, so that its memory keeps sigmoid(1) = 0.731 a step before it has learned"
                + " more; 5 keeps 0.993, near the 1 of 1997, which had no forget gate",
            "a spectral radius above 1 is necessary for a gradient to explode, not sufficient: tanh that saturates"
                + " holds it down (Pascanu et al., section 2.2)",
            "clipping by norm multiplies the whole gradient, and so that of each step, by one number: its length is"
                + " bounded, the shape of its curve through time stays; clipped-gradients has both at two of the"
                + " rates",
            "tuning budget: none; of the trainings with and without clipping all rates are shown"));
  }

  /**
   * Images, or what the first of {@code layers} makes of them, through recurrent layers and a dense one.
   *
   * @param clip bounds gradients, or null
   * @param seed by its number
   */
  static Course course(
      Setting setting, Splits examples, List<Layer> layers, Optimizer optimizer, GradientClip clip, int seed) {
    List<Layer> all = new ArrayList<>(layers);
    all.add(new Dense(examples.classes()));
    return new Course(
        setting,
        new Sequential(all),
        optimizer,
        examples.training(),
        BATCH,
        setting.seed(seed),
        spec -> spec.clip(clip));
  }

  static Verdict holdsBetter(String when, String radius, double[] lstm, double[] rnn) {
    boolean always = true;
    for (int seed = 0; seed < lstm.length; seed++) {
      always &= lstm[seed] > rnn[seed];
    }
    return Verdict.that(
        when + " an LSTM leaves more of the gradient than a tanh RNN of radius " + radius + ", for every seed",
        Numbers.text(Numbers.mean(lstm)) + " against " + Numbers.text(Numbers.mean(rnn)) + " on average",
        "more",
        always);
  }

  static Rnn rnn(Nonlinearity nonlinearity, double radius) {
    return new Rnn(UNITS).with(nonlinearity).init(new Xavier(), new Orthogonal(radius));
  }

  /** The norm of the gradient at each step, as a share of that at the last. */
  static double[] relative(Course course) {
    double[] norms = course.gradientsThroughTime().steps();
    return Arrays.stream(norms).map(norm -> norm / norms[norms.length - 1]).toArray();
  }
}
