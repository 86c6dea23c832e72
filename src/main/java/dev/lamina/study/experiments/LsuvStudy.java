package dev.lamina.study.experiments;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Statistics;
import dev.lamina.graph.Tensor;
import dev.lamina.nn.activation.Activation;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.activation.Tanh;
import dev.lamina.nn.init.He;
import dev.lamina.nn.init.Initializer;
import dev.lamina.nn.init.Lsuv;
import dev.lamina.nn.init.Normal;
import dev.lamina.nn.init.Xavier;
import dev.lamina.optim.Sgd;
import dev.lamina.study.Computation;
import dev.lamina.study.Course;
import dev.lamina.study.Edges;
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
import dev.lamina.study.Tuning;
import dev.lamina.study.Verdict;
import dev.lamina.tensor.DType;
import dev.lamina.train.UnitVariance.Scaled;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Twenty layers that data gave unit variance, beside those that begin with numbers drawn by a rule. */
final class LsuvStudy {
  static final Study STUDY =
      new Study(
          "lsuv",
          "LSUV gives every layer's output unit variance (to 0.1, in 10 rounds at most) and trains deep nets that"
              + " stall from small normal and Xavier's numbers",
          "Mishkin and Matas 2016, All you need is a good init, algorithm 1 and section 3",
          "2 min",
          LsuvStudy::run);

  private static final int DEPTH = 20;
  private static final int WIDTH = 100;
  private static final int BATCH = 100;
  private static final int LOOKS = 20;
  private static final int PROBED = 1000;
  private static final double[] RATES = {0.003, 0.01, 0.03, 0.1, 0.3, 1};
  private static final Lsuv LSUV = new Lsuv();

  /** Smaller variances would leave no room for the others. */
  private static final double LOWEST_DRAWN = 1e-8;

  private record Start(String name, Initializer weight) {}

  private static final List<Start> STARTS =
      List.of(
          new Start("LSUV", LSUV),
          new Start("He", new He()),
          new Start("Xavier", new Xavier()),
          new Start("0.01 N", new Normal(0.01)));

  private record Kind(String name, Activation layer) {}

  private static final List<Kind> KINDS = List.of(new Kind("tanh", new Tanh()), new Kind("ReLU", new ReLU()));

  /** A training: mean loss between two looks, variance of each layer's output before it began. */
  private record Outcome(double rate, double[] losses, double[] variances, List<Scaled> scaled) {
    double last() {
      return losses[LOOKS - 1];
    }
  }

  /** The trainings from one start at its best rate, by seed. */
  private record Tuned(Start start, List<Outcome> outcomes) {
    Outcome first() {
      return outcomes.getFirst();
    }

    double[] last() {
      return Numbers.each(outcomes, Outcome::last);
    }

    double least() {
      return Numbers.least(last());
    }

    /** NaN if one diverged. */
    double most() {
      return Numbers.most(last());
    }
  }

  private LsuvStudy() {}

  private static Findings run(Setting setting) {
    int steps = setting.sized(600, 200);
    int seeds = setting.sized(3, 2);
    double[] rates = setting.quick() ? new double[] {0.01, 0.03} : RATES;
    Table grid =
        setting
            .table(
                "rates",
                "Training loss after " + steps + " updates, a seed that is not used again",
                List.of("net", "start", "rate", "loss"))
            .detail();
    Table losses =
        setting.table(
            "losses",
            "Training loss after " + steps + " updates at the best rate, " + seeds + " seeds",
            List.of("net", "start", "rate", "mean", "least", "most"));
    Table signals =
        setting.table(
            "variances",
            "Variance of each layer's output before training: LSUV's orthonormal start, what it made of that on its"
                + " batch, and on "
                + PROBED
                + " test images; first seed",
            List.of("net", "layer", "before", "after", "rounds", "LSUV, test images", "He", "Xavier", "0.01 N"));
    List<Panel> panels = new ArrayList<>();
    List<Verdict> verdicts = new ArrayList<>();
    Edges edges = new Edges();
    try (Arena arena = Arena.ofShared()) {
      Splits examples = Splits.open(setting, arena, setting.sized(20_000, 5000), 0, PROBED);
      double guessing = Math.log(examples.classes());
      for (Kind kind : KINDS) {
        List<Tuned> all =
            STARTS.stream().map(start -> tuned(setting, examples, kind, start, rates, steps, seeds, grid)).toList();
        for (Tuned tuned : all) {
          losses.row(
              kind.name, tuned.start.name, tuned.first().rate, Numbers.mean(tuned.last()), tuned.least(), tuned.most());
          edges.look(kind.name + " from " + tuned.start.name, tuned.first().rate, rates);
        }
        addVariances(signals, kind, all);
        panels.add(lossPanel(kind, all, steps));
        panels.add(signalPanel(kind, all));
        verdicts.addAll(verdicts(kind, all, guessing));
      }
    }
    return new Findings(
        List.of(losses, signals, grid),
        List.of(new Figure("lsuv", 2, panels)),
        verdicts,
        List.of(
            ("%s hidden layers of %s, biases 0, no batch norm, SGD, batches of %s; layer %s gives the logits;"
                    + " variances are those of outputs in front of the activation, as in the paper")
                .formatted(DEPTH, WIDTH, BATCH, DEPTH + 1),
            "the paper's nets are convolutional, with 13 to 19 layers; Xavier's is made for tanh, so the claim that it"
                + " stalls is held against ReLU only",
            "tuning budget: the rates "
                + Arrays.toString(rates)
                + " for each net and start, of which the lowest training loss at the end counts, with one seed that is"
                + " not used again",
            edges.note()));
  }

  private static List<Verdict> verdicts(Kind kind, List<Tuned> all, double guessing) {
    List<Verdict> verdicts = new ArrayList<>();
    List<Scaled> scaled = all.getFirst().outcomes.stream().flatMap(outcome -> outcome.scaled.stream()).toList();
    double farthest = scaled.stream().mapToDouble(layer -> Math.abs(layer.after() - 1)).max().orElse(Double.NaN);
    int rounds = scaled.stream().mapToInt(Scaled::rounds).max().orElse(0);
    verdicts.add(
        Verdict.that(
            kind.name + ": on LSUV's batch the variance of each of " + (DEPTH + 1) + " layers is 1 for every seed",
            "at most %s away, after at most %s%s"
                .formatted(Numbers.text(farthest), rounds, rounds == 1 ? " round" : " rounds"),
            "within " + LSUV.tolerance() + " in " + LSUV.rounds() + " rounds",
            scaled.size() == all.getFirst().outcomes.size() * (DEPTH + 1) && farthest < LSUV.tolerance()));
    verdicts.add(learns(kind, all.getFirst(), guessing));
    verdicts.add(stalls(kind, all.get(3), guessing));
    if (kind.layer instanceof ReLU) {
      verdicts.add(stalls(kind, all.get(2), guessing));
    }
    return verdicts;
  }

  private static Verdict learns(Kind kind, Tuned tuned, double guessing) {
    return Verdict.that(
        kind.name + ": from " + tuned.start.name + " the loss falls under half of that of guessing, for every seed",
        "at most " + Numbers.text(tuned.most()),
        "below " + Numbers.text(guessing / 2),
        tuned.most() < guessing / 2);
  }

  private static Verdict stalls(Kind kind, Tuned tuned, double guessing) {
    return Verdict.that(
        kind.name + ": from " + tuned.start.name + " it stays within 2 % of that of guessing, for every seed",
        Numbers.text(tuned.least()) + " to " + Numbers.text(tuned.most()),
        Numbers.text(guessing),
        tuned.least() >= 0.98 * guessing && tuned.most() <= 1.02 * guessing);
  }

  private static void addVariances(Table table, Kind kind, List<Tuned> all) {
    for (int i = 0; i <= DEPTH; i++) {
      Scaled scaled = all.getFirst().first().scaled.get(i);
      List<Object> cells = new ArrayList<>(List.of(kind.name, i + 1, scaled.before(), scaled.after(), scaled.rounds()));
      for (Tuned tuned : all) {
        cells.add(tuned.first().variances[i]);
      }
      table.row(cells);
    }
  }

  private static Panel lossPanel(Kind kind, List<Tuned> all, int steps) {
    double[] at = Numbers.ends(steps, LOOKS);
    Panel panel = Panel.of(kind.name + ": training loss, each at its best rate", "updates", "loss", Scale.LINEAR);
    for (Tuned tuned : all) {
      panel = panel.line(tuned.start.name + ", rate " + Numbers.text(tuned.first().rate), at, tuned.first().losses);
    }
    return panel;
  }

  private static Panel signalPanel(Kind kind, List<Tuned> all) {
    String title = kind.name + ": before training, test images, down to 1e-8";
    Panel panel = Panel.of(title, "layer", "variance of the output", Scale.LOG_Y);
    for (Tuned tuned : all) {
      double[] drawn = Numbers.atLeast(LOWEST_DRAWN, tuned.first().variances);
      panel = panel.line(tuned.start.name, Numbers.counting(1, DEPTH + 1), drawn);
    }
    return panel;
  }

  private static Tuned tuned(
      Setting setting, Splits examples, Kind kind, Start start, double[] rates, int steps, int seeds, Table grid) {
    double best =
        Tuning.lowest(
            rates,
            rate -> {
              setting.doing("%s, %s, rate %s", kind.name, start.name, Numbers.text(rate));
              double loss = train(setting, examples, kind, start, rate, steps, 0).last();
              grid.row(kind.name, start.name, rate, loss);
              return loss;
            });
    List<Outcome> bySeed = new ArrayList<>();
    for (int seed = 1; seed <= seeds; seed++) {
      setting.doing("%s, %s, seed %d of %d", kind.name, start.name, seed, seeds);
      bySeed.add(train(setting, examples, kind, start, best, steps, seed));
    }
    return new Tuned(start, bySeed);
  }

  private static Outcome train(
      Setting setting, Splits examples, Kind kind, Start start, double rate, int steps, int seed) {
    var network = Networks.dense(DEPTH, WIDTH, examples.classes(), kind.layer, start.weight);
    try (Course course = new Course(setting, network, new Sgd(), examples.training(), BATCH, setting.seed(seed));
        LayerProbe probe = new LayerProbe(setting, course, examples.test(), (outputs, _) -> addVariancesOf(outputs))) {
      Computation seen = probe.look(course);
      double[] variances = IntStream.rangeClosed(0, DEPTH).mapToDouble(i -> seen.read("variance" + i)[0]).toArray();
      double[] losses = course.losses(steps, rate, LOOKS);
      return new Outcome(rate, losses, variances, course.scaled());
    }
  }

  /** Adds the variance of what each dense layer gives. */
  private static void addVariancesOf(List<Tensor> outputs) {
    Expr square = Exprs.mul(Exprs.input(0), Exprs.input(0));
    for (int i = 0; i <= DEPTH; i++) {
      // The input and what flattens it are in front; each hidden layer is a sum and an activation.
      Tensor deviation = Statistics.deviation(outputs.get(2 + 2 * i), DType.F64);
      deviation.graph().output("variance" + i, deviation.map(square));
    }
  }
}
