package dev.lamina.study.experiments;

import dev.lamina.graph.Exprs;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Op.ReduceKind;
import dev.lamina.graph.Tensor;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.init.Constant;
import dev.lamina.nn.init.Initializer;
import dev.lamina.nn.init.Normal;
import dev.lamina.nn.init.Zeros;
import dev.lamina.optim.Sgd;
import dev.lamina.study.Computation;
import dev.lamina.study.Course;
import dev.lamina.study.Figure;
import dev.lamina.study.Findings;
import dev.lamina.study.LayerProbe;
import dev.lamina.study.Networks;
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
import java.util.List;

/** Units that begin equal stay equal. */
final class SymmetryStudy {
  static final Study STUDY =
      new Study(
          "symmetry",
          "constant weights keep hidden units identical for ever, zeros with ReLU never move, 0.01 N learns",
          "CS231n notes, neural networks part 2: weight initialisation (pitfall: all zero)",
          "5 s",
          SymmetryStudy::run);

  private static final int HIDDEN = 32;
  private static final int BATCH = 100;
  private static final double RATE = 0.1;
  private static final int LOOKS = 20;

  /** Sums of equal numbers in another order differ by rounding: a few units in the last place of a float. */
  private static final double ROUNDING = 1e-5;

  /** Times as good as the better of the starts that keep units equal, or lost. */
  private static final double BETTER = 1.5;

  private record Start(String name, Initializer weight) {}

  private static final List<Start> STARTS =
      List.of(
          new Start("constant 0.01", new Constant(0.01)),
          new Start("zeros", new Zeros()),
          new Start("0.01 N", new Normal(0.01)));

  /**
   * What became of a start.
   *
   * @param spread the largest difference of two hidden units' weights, over the largest weight
   * @param moved the largest weight
   */
  private record Outcome(double spread, double moved, double accuracy) {}

  private SymmetryStudy() {}

  private static Findings run(Setting setting) {
    int steps = setting.sized(2000, 200);
    Table table =
        setting.table(
            "symmetry",
            "After " + steps + " updates: " + HIDDEN + " ReLU units between pixels and classes",
            List.of("weights begin as", "spread of hidden units", "largest weight", "test accuracy in %"));
    Panel losses = Panel.of("Training loss", "updates", "loss", Scale.LINEAR);
    Panel spreads =
        Panel.of("Difference between hidden units", "updates", "largest difference / largest weight", Scale.LINEAR);
    List<Outcome> outcomes = new ArrayList<>();
    double[] at = Numbers.ends(steps, LOOKS);
    try (Arena arena = Arena.ofShared()) {
      Splits examples = Splits.open(setting, arena, 20_000, 0, 2000);
      for (Start start : STARTS) {
        setting.doing("weights begin as %s", start.name);
        double[] loss = new double[LOOKS];
        double[] spread = new double[LOOKS];
        var network = Networks.dense(1, HIDDEN, examples.classes(), new ReLU(), start.weight);
        try (Course course = new Course(setting, network, new Sgd(), examples.training(), BATCH, setting.seed(0));
            LayerProbe probe = new LayerProbe(setting, course, examples.test().take(1), SymmetryStudy::measure)) {
          double largest = 0;
          for (int look = 0; look < LOOKS; look++) {
            loss[look] = course.train(steps / LOOKS, RATE).loss();
            Computation seen = probe.look(course);
            largest = seen.read("largest")[0];
            spread[look] = largest == 0 ? 0 : seen.read("spread")[0] / largest;
          }
          double accuracy = course.judge(examples.test()).accuracy();
          outcomes.add(new Outcome(spread[LOOKS - 1], largest, accuracy));
          table.row(start.name, spread[LOOKS - 1], largest, 100 * accuracy);
        }
        losses = losses.line(start.name, at, loss);
        spreads = spreads.line(start.name, at, spread);
      }
    }
    return new Findings(
        List.of(table),
        List.of(new Figure("symmetry", 2, List.of(losses, spreads))),
        verdicts(outcomes.get(0), outcomes.get(1), outcomes.get(2)),
        List.of("SGD at " + RATE + ", batches of " + BATCH + "; nothing is tuned"));
  }

  /** Adds the largest weight, and the largest difference between two units' weights, in or out. */
  private static void measure(List<Tensor> outputs, Tensor labels) {
    Graph graph = labels.graph();
    Tensor in = LayerProbe.weight(outputs, "dense1.weight"); // [hidden, pixels]
    Tensor out = LayerProbe.weight(outputs, "dense2.weight"); // [classes, hidden]
    graph.output("spread", spread(in, 0).map(Exprs::max, spread(out, 1)));
    graph.output("largest", size(in).map(Exprs::max, size(out)));
  }

  private static Tensor spread(Tensor weight, int axis) {
    Tensor least = weight.reduce(ReduceKind.MIN, Exprs.input(0), weight.dtype(), new int[] {axis});
    return weight.max(axis).minus(least).max();
  }

  private static Tensor size(Tensor weight) {
    return weight.map(Exprs::abs).max();
  }

  private static List<Verdict> verdicts(Outcome constant, Outcome zeros, Outcome random) {
    return List.of(
        new Verdict(
            "hidden units with constant weights stay identical",
            "largest difference " + Numbers.text(constant.spread) + " of the largest weight",
            "0",
            "rounding, " + Numbers.text(ROUNDING),
            constant.spread <= ROUNDING && constant.moved > 0.01),
        Verdict.that(
            "weights of 0 with ReLU never move", "largest weight " + Numbers.text(zeros.moved), "0", zeros.moved == 0),
        Verdict.that(
            "weights of 0.01 N learn, and much better than the other two",
            "test accuracy %s, against %s and %s"
                .formatted(
                    Numbers.percent(random.accuracy),
                    Numbers.percent(constant.accuracy),
                    Numbers.percent(zeros.accuracy)),
            "at least " + Numbers.text(BETTER) + " times as good as either",
            random.accuracy >= BETTER * Math.max(constant.accuracy, zeros.accuracy)));
  }
}
