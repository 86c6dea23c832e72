package dev.lamina.study.experiments;

import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Gradients;
import dev.lamina.graph.Op.ReduceKind;
import dev.lamina.graph.Statistics;
import dev.lamina.graph.Tensor;
import dev.lamina.nn.Layer;
import dev.lamina.nn.activation.ELU;
import dev.lamina.nn.activation.GELU;
import dev.lamina.nn.activation.HardSigmoid;
import dev.lamina.nn.activation.HardSwish;
import dev.lamina.nn.activation.Identity;
import dev.lamina.nn.activation.LeakyReLU;
import dev.lamina.nn.activation.Mish;
import dev.lamina.nn.activation.PReLU;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.activation.SELU;
import dev.lamina.nn.activation.SiLU;
import dev.lamina.nn.activation.Sigmoid;
import dev.lamina.nn.activation.Softplus;
import dev.lamina.nn.activation.Softsign;
import dev.lamina.nn.activation.Tanh;
import dev.lamina.nn.init.He;
import dev.lamina.optim.Adam;
import dev.lamina.study.ActivationTimes;
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
import dev.lamina.tensor.DType;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** All activations in the same net with the same budget. */
final class ActivationsStudy {
  private static final int DEPTH = 3;
  private static final int WIDTH = 100;
  private static final int BATCH = 100;
  private static final int PROBED = 1000;
  private static final int JUDGED = 5000;
  private static final double RATE = 1e-3;

  /** Of the training images; in this budget none gets there on images it has not seen. */
  private static final double GOAL = 0.98;

  /** A unit passes less than a hundredth of a gradient where its slope is smaller. */
  private static final double FLAT = 0.01;

  private static final List<Layer> ALL =
      List.of(
          new Identity(),
          new Sigmoid(),
          new HardSigmoid(),
          new Tanh(),
          new Softsign(),
          new ReLU(),
          new LeakyReLU(),
          new PReLU(),
          new ELU(),
          new SELU(),
          new GELU(),
          new SiLU(),
          new HardSwish(),
          new Mish(),
          new Softplus());

  static final Study STUDY =
      new Study(
              "activations",
              "how all activations compare in the same net with the same budget",
              "CS231n, lecture on activation functions",
              "40 s",
              ActivationsStudy::run)
          .timing(ALL, List.of(new Sigmoid(), new ReLU()));

  private ActivationsStudy() {}

  private static Findings run(Setting setting) {
    int epochs = setting.sized(5, 2);
    List<Layer> all = STUDY.timed(setting.quick());
    List<String> columns =
        new ArrayList<>(
            List.of(
                "activation",
                "test accuracy in %",
                "epochs to " + Numbers.percent(GOAL) + " of training",
                "flat in %",
                "dead units in %",
                "seconds of training"));
    columns.addAll(setting.times() == null ? List.of("forward and backward in ns a value") : setting.times().columns());
    Table table = setting.table("activations", "After " + epochs + " epochs", columns);
    List<Panel> panels = new ArrayList<>();
    Panel panel = empty();
    try (Arena arena = Arena.ofShared()) {
      Splits examples = Splits.open(setting, arena, setting.sized(20_000, 5000), 0, setting.sized(10_000, 2000));
      for (Layer activation : all) {
        String name = activation.getClass().getSimpleName();
        var network = Networks.dense(DEPTH, WIDTH, examples.classes(), activation, new He());
        double[] accuracies = new double[epochs];
        double reached = Double.NaN;
        double seconds = 0;
        try (Course course = new Course(setting, network, new Adam(), examples.training(), BATCH, setting.seed(0));
            LayerProbe probe =
                new LayerProbe(setting, course, examples.training().take(PROBED), (outputs, _) -> addSlopes(outputs))) {
          for (int epoch = 0; epoch < epochs; epoch++) {
            setting.doing("%s, epoch %d of %d", name, epoch + 1, epochs);
            long begun = System.nanoTime();
            course.train(course.stepsPerEpoch(), RATE);
            seconds += (System.nanoTime() - begun) * 1e-9;
            accuracies[epoch] = course.judge(examples.test()).accuracy();
            if (Double.isNaN(reached) && course.judge(examples.training().take(JUDGED)).accuracy() >= GOAL) {
              reached = epoch + 1;
            }
          }
          Computation seen = probe.look(course);
          List<Object> cells =
              new ArrayList<>(
                  List.of(
                      name,
                      100 * accuracies[epochs - 1],
                      reached,
                      100 * seen.read("flat")[0],
                      100 * seen.read("dead")[0],
                      seconds));
          cells.addAll(
              setting.times() == null
                  ? List.of(Stopwatch.nanosPerValue(setting, activation))
                  : setting.times().nanosPerValue(activation));
          table.row(cells);
        }
        panel = panel.line(name, Numbers.counting(1, epochs), percent(accuracies));
        if (panel.curves().size() == 5) {
          panels.add(panel);
          panel = empty();
        }
      }
    }
    if (!panel.curves().isEmpty()) {
      panels.add(panel);
    }
    return new Findings(
        List.of(table),
        List.of(new Figure("activations", panels.size(), panels)),
        List.of(),
        List.of(
            ("%s hidden layers of %s from He's start, Adam at %s, batches of %s, one seed; nothing is tuned,"
                    + " which is not equally good for all")
                .formatted(DEPTH, WIDTH, RATE, BATCH),
            ("flat: share of values of the last hidden layer with a slope under %s in size; dead: units of it"
                    + " for which that is so on all of %s images")
                .formatted(FLAT, PROBED),
            "seconds are of this run on this machine and contain whatever else it did",
            timing(setting, all)));
  }

  private static String timing(Setting setting, List<Layer> all) {
    if (setting.times() != null) {
      return "forward and backward: " + setting.times().words() + "; PReLU has a slope for each of 64 channels there";
    }
    return "forward and backward: "
        + Stopwatch.words(setting)
        + " on this device, the loop of this study and not JMH; for JMH's times run "
        + ActivationTimes.command(setting.device().name(), all)
        + " and this study with --jmh benchmarks/target/results.json";
  }

  private static Panel empty() {
    return Panel.of("Test accuracy", "epochs", "accuracy in %", Scale.LINEAR);
  }

  private static double[] percent(double[] shares) {
    return Arrays.stream(shares).map(share -> 100 * share).toArray();
  }

  /** Adds the share of values of the last hidden layer that are flat, and of units that are flat everywhere. */
  private static void addSlopes(List<Tensor> outputs) {
    Tensor sums = outputs.get(outputs.size() - 3);
    Tensor values = outputs.get(outputs.size() - 2);
    Tensor slopes = Gradients.of(values.sum(), List.of(sums)).getFirst().map(Exprs::abs);
    slopes.graph().output("flat", Statistics.share(slopes, Exprs.input(0), Relation.LT, FLAT, DType.F64));
    Tensor steepest = slopes.reduce(ReduceKind.MAX, Exprs.input(0), DType.F32, new int[] {0});
    slopes.graph().output("dead", Statistics.share(steepest, Exprs.input(0), Relation.LT, FLAT, DType.F64));
  }
}
