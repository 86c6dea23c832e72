package dev.lamina.study.experiments;

import dev.lamina.data.Dataset;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Tensor;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.init.He;
import dev.lamina.optim.Adam;
import dev.lamina.study.Computation;
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
import dev.lamina.study.Verdict;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** What several nets know together that each of them does not. */
final class EnsembleStudy implements Study {
  private static final int MEMBERS = 5;
  private static final int WIDTH = 100;
  private static final int BATCH = 100;
  private static final double RATE = 1e-3;

  @Override
  public String name() {
    return "ensemble";
  }

  @Override
  public String claim() {
    return "the mean of several nets' predictions is 2 to 5 % better than the nets themselves";
  }

  @Override
  public String source() {
    return "CS231n notes, neural networks part 3: model ensembles";
  }

  @Override
  public String duration() {
    return "10 s";
  }

  @Override
  public Findings run(Setting setting) {
    int epochs = setting.sized(20, 5);
    Table table =
        setting.begun(
            new Table(
                "ensemble",
                "Test accuracy in %, " + MEMBERS + " members",
                "members differ by",
                "mean member",
                "best member",
                "ensemble",
                "gain over the mean in points"));
    Panel panel = Panel.of("Members together", "members", "test accuracy in %", Scale.LINEAR);
    List<Verdict> verdicts = new ArrayList<>();
    try (Arena arena = Arena.ofShared()) {
      Splits examples = Splits.open(setting, arena, setting.sized(5000, 2000), 0, setting.sized(10_000, 2000));
      for (boolean bySeed : new boolean[] {true, false}) {
        String how = bySeed ? "seed" : "a fifth of the data left out";
        List<double[][]> predictions = new ArrayList<>();
        for (int member = 0; member < MEMBERS; member++) {
          setting.doing("by %s, member %d of %d", how, member + 1, MEMBERS);
          Dataset training = bySeed ? examples.training() : without(examples.training(), member);
          long seed = setting.seed(bySeed ? member : 0);
          var network = Networks.dense(2, WIDTH, examples.classes(), new ReLU(), new He());
          try (Course course = new Course(setting, network, new Adam(), training, BATCH, seed)) {
            course.train(epochs * course.stepsPerEpoch(), RATE);
            predictions.add(course.predict(examples.test()));
          }
        }
        double[] alone =
            predictions.stream()
                .mapToDouble(one -> accuracy(setting, examples.test(), List.<double[][]>of(one)))
                .toArray();
        double[] together =
            IntStream.rangeClosed(1, MEMBERS)
                .mapToDouble(n -> accuracy(setting, examples.test(), predictions.subList(0, n)))
                .toArray();
        double mean = 100 * Numbers.mean(alone);
        double all = 100 * together[MEMBERS - 1];
        table.row(how, mean, 100 * Arrays.stream(alone).max().orElseThrow(), all, all - mean);
        panel =
            panel.line(how, Numbers.counting(1, MEMBERS), Arrays.stream(together).map(share -> 100 * share).toArray());
        verdicts.add(verdict(how, mean, all));
      }
    }
    return new Findings(
        List.of(table),
        List.of(new Figure("ensemble", panel)),
        verdicts,
        List.of(
            "two hidden layers of "
                + WIDTH
                + " ReLUs, Adam at "
                + RATE
                + ", "
                + epochs
                + " epochs; probabilities are"
                + " averaged; nothing is tuned"));
  }

  /** Judges accuracies in %. */
  static Verdict verdict(String how, double mean, double together) {
    return Verdict.that(
        "an ensemble whose members differ by " + how + " beats its mean member",
        Numbers.text(together - mean) + " points",
        "2 to 5 %, where there is more to gain than on digits",
        together > mean);
  }

  /** All but each fifth example, counted from {@code member}. */
  private static Dataset without(Dataset data, int member) {
    return data.subset(IntStream.range(0, data.size()).filter(i -> i % MEMBERS != member).toArray());
  }

  /** The accuracy of the mean of probabilities [example][class]. */
  static double accuracy(Setting setting, Dataset data, List<double[][]> predictions) {
    int n = data.size();
    int classes = data.classes();
    TensorType type = TensorType.f32(predictions.size(), n, classes);
    Graph graph = new Graph();
    Tensor said = graph.input("predictions", type).mean(0).argMax();
    Tensor labels = graph.input("labels", TensorType.of(DType.I32, n));
    Tensor hits =
        said.map(
            Exprs.select(Relation.EQ, Exprs.input(0), Exprs.input(1), Exprs.constant(1), Exprs.constant(0)),
            DType.F32,
            labels);
    graph.output("accuracy", hits.mean());
    try (Computation computation = new Computation(setting.device(), graph);
        Arena arena = Arena.ofConfined()) {
      HostTensor all = HostTensor.allocate(arena, type);
      long at = 0;
      for (double[][] one : predictions) {
        for (double[] probabilities : one) {
          for (double p : probabilities) {
            all.set(at++, p);
          }
        }
      }
      HostTensor truth = HostTensor.allocate(arena, TensorType.of(DType.I32, n));
      for (int i = 0; i < n; i++) {
        truth.set(i, data.label(i));
      }
      computation.stage("predictions", all);
      computation.stage("labels", truth);
      computation.run();
      return computation.read("accuracy")[0];
    }
  }
}
