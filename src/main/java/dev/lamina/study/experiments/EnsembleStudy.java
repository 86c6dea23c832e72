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
import dev.lamina.study.ConfidenceInterval;
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
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** What several nets know together that each of them does not. */
final class EnsembleStudy {
  static final Study STUDY =
      new Study(
          "ensemble",
          "the mean of several nets' predictions is better than the nets themselves (by 2 to 5 %: reported)",
          "CS231n notes, neural networks part 3: model ensembles",
          "1 min",
          EnsembleStudy::run);

  private static final int MEMBERS = 5;
  private static final int ENSEMBLES = 5;
  private static final int WIDTH = 100;
  private static final int BATCH = 100;
  private static final double RATE = 1e-3;

  private EnsembleStudy() {}

  private static Findings run(Setting setting) {
    int epochs = setting.sized(20, 5);
    int ensembles = setting.sized(ENSEMBLES, 2);
    Table table =
        setting.table(
            "ensemble",
            "Test accuracy in %, " + MEMBERS + " members, mean of " + ensembles + " ensembles",
            List.of(
                "members differ by",
                "mean member",
                "best member",
                "ensemble",
                "gain over the mean in points",
                "95 % interval from",
                "to"));
    Panel panel = Panel.of("Members together", "members", "test accuracy in %", Scale.LINEAR);
    List<Verdict> verdicts = new ArrayList<>();
    try (Arena arena = Arena.ofShared()) {
      Splits examples = Splits.open(setting, arena, setting.sized(5000, 2000), 0, setting.sized(10_000, 2000));
      for (boolean bySeed : new boolean[] {true, false}) {
        String how = bySeed ? "seed" : "a fifth of the data left out";
        double[] means = new double[ensembles];
        double[] bests = new double[ensembles];
        double[][] together = new double[ensembles][];
        for (int e = 0; e < ensembles; e++) {
          List<double[][]> predictions = predictions(setting, examples, bySeed, e, epochs);
          double[] alone =
              predictions.stream()
                  .mapToDouble(one -> 100 * accuracy(setting, examples.test(), List.<double[][]>of(one)))
                  .toArray();
          means[e] = Numbers.mean(alone);
          bests[e] = Numbers.most(alone);
          together[e] =
              IntStream.rangeClosed(1, MEMBERS)
                  .mapToDouble(n -> 100 * accuracy(setting, examples.test(), predictions.subList(0, n)))
                  .toArray();
        }
        double[] all = Arrays.stream(together).mapToDouble(some -> some[MEMBERS - 1]).toArray();
        ConfidenceInterval gain = ConfidenceInterval.ofDifference(all, means);
        table.row(
            how, Numbers.mean(means), Numbers.mean(bests), Numbers.mean(all), gain.mean(), gain.low(), gain.high());
        panel = panel.line(how, Numbers.counting(1, MEMBERS), Numbers.columnMeans(together));
        verdicts.add(verdict(how, gain));
      }
    }
    return new Findings(
        List.of(table),
        List.of(new Figure("ensemble", panel)),
        verdicts,
        List.of(
            "two hidden layers of %s ReLUs, Adam at %s, %s epochs; probabilities are averaged; nothing is tuned"
                .formatted(WIDTH, RATE, epochs),
            "the course's 2 to 5 % are those of a harder task, where single nets leave more to gain; they are not"
                + " judged"));
  }

  /** What the members of an ensemble predict: probabilities [example][class] of each. */
  private static List<double[][]> predictions(
      Setting setting, Splits examples, boolean bySeed, int ensemble, int epochs) {
    List<double[][]> predictions = new ArrayList<>();
    for (int member = 0; member < MEMBERS; member++) {
      setting.doing("by %s, ensemble %d, member %d of %d", bySeed ? "seed" : "data", ensemble + 1, member + 1, MEMBERS);
      Dataset training = bySeed ? examples.training() : without(examples.training(), member);
      long seed = setting.seed(bySeed ? ensemble * MEMBERS + member : ensemble);
      var network = Networks.dense(2, WIDTH, examples.classes(), new ReLU(), new He());
      try (Course course = new Course(setting, network, new Adam(), training, BATCH, seed)) {
        course.train(epochs * course.stepsPerEpoch(), RATE);
        predictions.add(course.predict(examples.test()));
      }
    }
    return predictions;
  }

  /** Judges what ensembles gain, in points. */
  static Verdict verdict(String how, ConfidenceInterval gain) {
    return Verdict.that(
        "ensembles whose members differ by " + how + " beat their mean member",
        gain.text() + " points",
        "better, and the interval excludes 0",
        gain.low() > 0);
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
    try (Computation computation = new Computation(setting.device(), graph)) {
      computation.stage(
          "predictions", type, predictions.stream().flatMap(Arrays::stream).flatMapToDouble(Arrays::stream).toArray());
      computation.stage("labels", labels.type(), IntStream.range(0, n).mapToDouble(data::label).toArray());
      computation.run();
      return computation.read("accuracy")[0];
    }
  }
}
