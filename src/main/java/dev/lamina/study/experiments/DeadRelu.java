package dev.lamina.study.experiments;

import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op.ReduceKind;
import dev.lamina.graph.Tensor;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Flatten;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.Activation;
import dev.lamina.nn.activation.ELU;
import dev.lamina.nn.activation.LeakyReLU;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.init.Constant;
import dev.lamina.nn.init.He;
import dev.lamina.optim.Momentum;
import dev.lamina.study.Computation;
import dev.lamina.study.ConfidenceInterval;
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
import java.util.List;

/** How many units never fire again, by learning rate, initial bias and activation. */
final class DeadRelu {
  static final Study STUDY =
      new Study(
          "dead-relu",
          "more ReLUs die where the learning rate is high (some 10 to 20 % of them in a usual training, and a small"
              + " positive bias is said to help: reported)",
          "CS231n, lecture on activation functions (10-20 %); Maas et al. 2013; Clevert et al. 2016",
          "2 min",
          DeadRelu::run);

  private static final int WIDTH = 100;
  private static final int BATCH = 100;
  private static final int PROBED = 2000;
  private static final double[] RATES = {0.001, 0.01, 0.03, 0.1, 0.3};
  private static final double[] BIASES = {0, 0.01};
  private static final int SEEDS = 5;

  /** A net that is no better than this many times guessing is wrecked: what its units do says nothing of others. */
  private static final double WRECKED = 1.5;

  private record Kind(String name, Activation activation) {}

  private static final List<Kind> KINDS =
      List.of(
          new Kind("ReLU", new ReLU()),
          new Kind("LeakyReLU 0.01", new LeakyReLU(0.01)),
          new Kind("LeakyReLU 0.1", new LeakyReLU(0.1)),
          new Kind("ELU", new ELU()));

  /** The share of units that are positive on no example, how good the net is, and whether it learned anything. */
  private record Outcome(double dead, double accuracy, boolean wrecked) {}

  private DeadRelu() {}

  private static Findings run(Setting setting) {
    int steps = setting.sized(500, 100);
    double[] rates = setting.quick() ? new double[] {0.01, 0.3} : RATES;
    List<Kind> kinds = setting.quick() ? KINDS.subList(0, 1) : KINDS;
    int seeds = setting.sized(SEEDS, 2);
    Table table =
        setting.table(
            "dead-relu",
            "After %s updates: units that are positive on none of %s training images, mean of %s seeds"
                .formatted(steps, PROBED, seeds),
            List.of(
                "activation",
                "bias",
                "rate",
                "never positive in %",
                "least",
                "most",
                "validation accuracy in %",
                "wrecked nets"));
    Panel panel = Panel.of("Units that never fire", "learning rate", "share in %", Scale.LOG_X);
    double[][] reluShares = new double[rates.length][seeds];
    double most = 0;
    try (Arena arena = Arena.ofShared()) {
      Splits examples = Splits.open(setting, arena, setting.sized(20_000, 5000), 2000, 1);
      for (Kind kind : kinds) {
        for (double bias : BIASES) {
          double[] shares = new double[rates.length];
          for (int r = 0; r < rates.length; r++) {
            setting.doing("%s, bias %s, rate %s", kind.name, Numbers.text(bias), Numbers.text(rates[r]));
            List<Outcome> outcomes = new ArrayList<>();
            for (int seed = 0; seed < seeds; seed++) {
              outcomes.add(train(setting, examples, kind.activation, bias, rates[r], steps, seed));
            }
            double[] dead = Numbers.each(outcomes, outcome -> 100 * outcome.dead);
            shares[r] = Numbers.mean(dead);
            long wrecked = outcomes.stream().filter(Outcome::wrecked).count();
            table.row(
                kind.name,
                bias,
                rates[r],
                shares[r],
                Numbers.least(dead),
                Numbers.most(dead),
                100 * Numbers.mean(outcomes, Outcome::accuracy),
                wrecked);
            if (kind.activation instanceof ReLU) {
              for (int seed = 0; seed < seeds; seed++) {
                reluShares[r][seed] += outcomes.get(seed).dead / BIASES.length;
              }
              most = wrecked == 0 ? Math.max(most, shares[r]) : most;
            }
          }
          panel = panel.line(kind.name + ", bias " + Numbers.text(bias), rates, shares);
        }
      }
    }
    return new Findings(
        List.of(table),
        List.of(new Figure("dead-relu", panel)),
        List.of(verdict(rates, reluShares)),
        List.of(
            ("two hidden layers of %s from He's start, momentum 0.9, batches of %s; nothing is tuned, a"
                    + " training whose loss is not finite stops where it was; a net is called wrecked that is less than"
                    + " %s times as good as guessing")
                .formatted(WIDTH, BATCH, Numbers.text(WRECKED)),
            "the course's 10 to 20 % are no figure for this net; at the rates with which all nets learn it is at most "
                + Numbers.text(most)
                + " % of ReLUs",
            "units that are dead from the start stay so at rates that are low: from the lowest rate to the next the"
                + " share can be a little lower",
            "the benefit of the bias is disputed: it is only reported; leaky units and ELUs that are never positive"
                + " still learn"));
  }

  /**
   * Judges whether the share of dead units grows with the rate.
   *
   * @param shares [rate][seed]
   */
  static Verdict verdict(double[] rates, double[][] shares) {
    boolean falls = false;
    for (int i = 1; i < rates.length; i++) {
      falls |= !(ConfidenceInterval.ofDifference(shares[i], shares[i - 1]).high() >= 0);
    }
    ConfidenceInterval growth = ConfidenceInterval.ofDifference(shares[rates.length - 1], shares[0]);
    return new Verdict(
        "the share of dead ReLUs grows with the rate, and falls at none",
        String.join(", ", Arrays.stream(shares).map(Numbers::mean).map(Numbers::percent).toList())
            + " at the rates "
            + Arrays.toString(rates),
        "growing",
        "seed by seed, the interval of the growth from the lowest to the highest rate lies above 0, that from no rate"
            + " to the next lies below",
        !falls && growth.low() > 0);
  }

  private static Outcome train(
      Setting setting, Splits examples, Activation activation, double bias, double rate, int steps, int seed) {
    Dense dense = new Dense(WIDTH, new He(), new Constant(bias));
    var network =
        new Sequential(List.of(new Flatten(), dense, activation, dense, activation, new Dense(examples.classes())));
    try (Course course = new Course(setting, network, new Momentum(), examples.training(), BATCH, setting.seed(seed));
        LayerProbe probe =
            new LayerProbe(setting, course, examples.training().take(PROBED), (outputs, _) -> addDead(outputs))) {
      course.train(steps, rate);
      Computation seen = probe.look(course);
      double dead = seen.read("dead0")[0] + seen.read("dead1")[0];
      double accuracy = course.judge(examples.validation()).accuracy();
      boolean wrecked = course.diverged() || accuracy < WRECKED / examples.classes();
      return new Outcome(dead / (2 * WIDTH), accuracy, wrecked);
    }
  }

  /** Adds how many units of each hidden layer have no positive sum. */
  private static void addDead(List<Tensor> outputs) {
    List<Tensor> sums = new ArrayList<>(List.of(outputs.get(2), outputs.get(4)));
    for (int layer = 0; layer < sums.size(); layer++) {
      Tensor highest = sums.get(layer).reduce(ReduceKind.MAX, Exprs.input(0), sums.get(layer).dtype(), new int[] {0});
      Tensor dead = highest.map(h -> Exprs.ifNotPositive(h, Exprs.constant(1), Exprs.constant(0)));
      dead.graph().output("dead" + layer, dead.sum());
    }
  }
}
