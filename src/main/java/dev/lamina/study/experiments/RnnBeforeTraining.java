package dev.lamina.study.experiments;

import dev.lamina.data.Dataset;
import dev.lamina.io.BadInputException;
import dev.lamina.nn.Reshape;
import dev.lamina.nn.init.Orthogonal;
import dev.lamina.nn.init.Xavier;
import dev.lamina.nn.init.Zeros;
import dev.lamina.nn.recurrent.Lstm;
import dev.lamina.nn.recurrent.Rnn.Nonlinearity;
import dev.lamina.optim.Sgd;
import dev.lamina.study.Course;
import dev.lamina.study.Numbers;
import dev.lamina.study.Panel;
import dev.lamina.study.Panel.Curve;
import dev.lamina.study.Panel.Scale;
import dev.lamina.study.Panel.Style;
import dev.lamina.study.Setting;
import dev.lamina.study.Splits;
import dev.lamina.study.Table;
import dev.lamina.study.Verdict;
import dev.lamina.study.experiments.VanishingRnn.Net;
import dev.lamina.study.experiments.VanishingRnn.Part;
import dev.lamina.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What recurrent nets leave of a gradient with first weights: what theory speaks of. */
final class RnnBeforeTraining {
  /** A row of an image in so many parts: more steps show more of what each does. */
  private static final int PARTS = 2;

  private static final double[] RADII = {0.8, 1, 1.25};

  private RnnBeforeTraining() {}

  static Part part(Setting setting, Splits examples) {
    int seeds = setting.sized(5, 2);
    List<Net> nets = new ArrayList<>();
    for (Nonlinearity nonlinearity : List.of(Nonlinearity.LINEAR, Nonlinearity.TANH)) {
      for (double radius : RADII) {
        String name = "RNN, " + nonlinearity.name().toLowerCase(Locale.ROOT) + ", radius " + Numbers.text(radius);
        nets.add(new Net(name, VanishingRnn.rnn(nonlinearity, radius)));
      }
    }
    Net lstm = new Net("LSTM, forget bias 1", new Lstm(VanishingRnn.UNITS));
    nets.add(lstm);
    nets.add(
        new Net(
            "LSTM, forget bias 5",
            new Lstm(VanishingRnn.UNITS, false, 0, new Xavier(), new Orthogonal(), new Zeros(), 5)));
    Reshape cut = cut(examples.training());
    int steps = cut.dims().getFirst();
    Table table =
        setting.table(
            "first-weights",
            "Gradient through " + steps + " steps with first weights, " + seeds + " seeds",
            List.of("net", "factor a step", "share left (mean)", "least", "most"));
    Panel panel = Panel.of("First weights, first seed", "step", "norm, of that at the last step", Scale.LOG_Y);
    Map<String, double[]> shares = new LinkedHashMap<>();
    for (Net net : nets) {
      double[] left = new double[seeds];
      for (int seed = 0; seed < seeds; seed++) {
        setting.doing("%s, seed %d of %d", net.name(), seed + 1, seeds);
        try (Course course = VanishingRnn.course(setting, examples, List.of(cut, net.layer()), new Sgd(), null, seed)) {
          double[] relative = VanishingRnn.relative(course);
          left[seed] = relative[0];
          if (seed == 0) {
            boolean linear = net.name().contains("linear");
            double[] at = Numbers.counting(1, steps);
            panel = panel.with(new Curve(net.name(), at, relative, linear ? Style.DASHED : Style.LINE));
          }
        }
      }
      shares.put(net.name(), left);
      table.row(
          net.name(), factor(Numbers.mean(left), steps), Numbers.mean(left), Numbers.least(left), Numbers.most(left));
    }
    List<Verdict> verdicts = new ArrayList<>();
    for (double radius : RADII) {
      double[] left = shares.get("RNN, linear, radius " + Numbers.text(radius));
      verdicts.add(
          Verdict.within(
              "a linear RNN of radius " + Numbers.text(radius) + " multiplies the gradient by it in each step",
              factor(Numbers.mean(left), steps),
              radius,
              0.01));
    }
    double bound = Math.pow(RADII[0], steps - 1);
    double most = Numbers.most(shares.get("RNN, tanh, radius " + Numbers.text(RADII[0])));
    verdicts.add(
        Verdict.that(
            "of a tanh RNN of radius "
                + RADII[0]
                + " the first step has no more than radius^(steps - 1), for every seed",
            Numbers.text(most),
            "at most " + Numbers.text(bound),
            most <= bound));
    double[] exploding = shares.get("RNN, tanh, radius " + Numbers.text(RADII[2]));
    verdicts.add(
        Verdict.that(
            "of a tanh RNN of radius " + RADII[2] + " the gradient grows towards the first step, for every seed",
            "at least " + Numbers.text(Numbers.least(exploding)),
            "above 1",
            Arrays.stream(exploding).allMatch(share -> share > 1)));
    for (double radius : List.of(RADII[0], RADII[1])) {
      double[] rnn = shares.get("RNN, tanh, radius " + Numbers.text(radius));
      verdicts.add(VanishingRnn.holdsBetter("with first weights", Numbers.text(radius), shares.get(lstm.name()), rnn));
    }
    return new Part(List.of(table), List.of(panel), verdicts);
  }

  /**
   * Into parts of rows.
   *
   * @throws BadInputException if the data has no rows, or rows that cannot be halved
   */
  static Reshape cut(Dataset data) {
    Shape shape = data.inputType().shape();
    int steps = shape.dim(0) * PARTS;
    if (shape.rank() < 2 || shape.size() % steps != 0) {
      throw new BadInputException(
          ("vanishing-rnn reads images in halves of rows; an input of %s is %s, which has no rows of an even"
                  + " number of values; choose other --data")
              .formatted(data.name(), shape));
    }
    return new Reshape(steps, Math.toIntExact(shape.size()) / steps);
  }

  /** What each of the steps between the first and the last leaves, were it the same. */
  static double factor(double share, int steps) {
    return Math.pow(share, 1.0 / (steps - 1));
  }
}
