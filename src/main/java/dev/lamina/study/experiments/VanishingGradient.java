package dev.lamina.study.experiments;

import dev.lamina.graph.Exprs;
import dev.lamina.graph.Gradients;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Statistics;
import dev.lamina.graph.Tensor;
import dev.lamina.loss.SoftmaxCrossEntropy;
import dev.lamina.nn.activation.Activation;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.activation.Sigmoid;
import dev.lamina.nn.init.He;
import dev.lamina.nn.init.Initializer;
import dev.lamina.nn.init.LeCun;
import dev.lamina.nn.init.Normal;
import dev.lamina.nn.init.Uniform;
import dev.lamina.optim.Sgd;
import dev.lamina.study.Computation;
import dev.lamina.study.ConfidenceInterval;
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
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;

/** What a chain of sigmoids leaves of a gradient, and what that means for learning. */
final class VanishingGradient {
  static final Study STUDY =
      new Study(
          "vanishing-gradient",
          "with one sigmoid unit a layer and weights of at most 1 the gradient at the first of L layers is at most"
              + " (1/4)^L of the last's (and deep sigmoid nets learn worse than ReLU nets: reported)",
          "Hochreiter 1991; Nielsen, Neural Networks and Deep Learning, chapter 5; CS231n notes on sigmoid",
          "2 min",
          VanishingGradient::run);

  private static final int CHAIN = 10;
  private static final int CHAINS = 10_000;

  private static final int WIDTH = 100;
  private static final int LAYERS = 9;
  private static final int PROBED = 500;

  private static final int[] DEPTHS = {1, 2, 3, 5, 9};
  private static final double[] RATES = {0.03, 0.1, 0.3, 1, 3, 10};
  private static final int BATCH = 50;
  private static final int SEEDS = 3;

  private record Start(String name, Activation activation, Initializer weight) {}

  private static final List<Start> STARTS =
      List.of(
          new Start("sigmoid, std 1", new Sigmoid(), new Normal(1)),
          new Start("sigmoid, std 0.01", new Sigmoid(), new Normal(0.01)),
          new Start("sigmoid, std 1/sqrt(n)", new Sigmoid(), new LeCun()),
          new Start("sigmoid, std sqrt(2/n)", new Sigmoid(), new He()),
          new Start("ReLU, std sqrt(2/n)", new ReLU(), new He()));

  private VanishingGradient() {}

  private static Findings run(Setting setting) {
    List<Verdict> verdicts = new ArrayList<>();
    Table chain = chain(setting, verdicts);
    List<Table> tables = new ArrayList<>(List.of(chain));
    List<Figure> figures = new ArrayList<>();
    Edges edges = new Edges();
    try (Arena arena = Arena.ofShared()) {
      Splits examples = Splits.open(setting, arena, setting.sized(20_000, 2000), setting.sized(5000, 500), PROBED);
      factors(setting, examples, tables, figures);
      accuracies(setting, examples, tables, figures, edges);
    }
    return new Findings(
        tables,
        figures,
        verdicts,
        List.of(
            "one unit a layer: "
                + CHAINS
                + " chains, weights uniform in [-1,1], half of them of size 1, biases and input"
                + " N(0,1)",
            ("width %s: factors at the start, on %s images; the two of a layer multiply to what it leaves of"
                    + " the gradient; the largest singular value is the most that weights could do to it")
                .formatted(WIDTH, PROBED),
            ("accuracies: SGD, batches of %s, sigmoid from 1/sqrt(n), ReLU from sqrt(2/n); tuning budget: the"
                    + " rates %s for each row, one seed that is not used again; mean of other seeds and half of its 95"
                    + " %% interval")
                .formatted(BATCH, Arrays.toString(RATES)),
            edges.note()));
  }

  /** One unit a layer: the largest gradient of any chain beside the bound, for each length. */
  static Table chain(Setting setting, List<Verdict> verdicts) {
    setting.doing("one unit a layer");
    Table table =
        setting.table(
            "chain",
            "One sigmoid unit a layer: |d output / d first sum|, the largest of " + CHAINS + " chains",
            List.of("layers", "largest", "bound (1/4)^L", "share of the bound"));
    TensorType type = TensorType.f32(CHAINS);
    Graph graph = new Graph();
    Tensor first = graph.input("first", type);
    Tensor a = first;
    for (int layer = 1; layer <= CHAIN; layer++) {
      Tensor z =
          layer == 1 ? first : a.times(graph.input("weight" + layer, type)).plus(graph.input("bias" + layer, type));
      a = z.map(Exprs::sigmoid);
      Tensor gradient = Gradients.of(a.sum(), List.of(first)).getFirst();
      graph.output("largest" + layer, gradient.map(Exprs::abs).max());
    }
    try (Computation computation = new Computation(setting.device(), graph);
        Arena arena = Arena.ofConfined()) {
      computation.stage("first", drawn(arena, new Normal(1), setting, "first"));
      for (int layer = 2; layer <= CHAIN; layer++) {
        HostTensor weight = drawn(arena, new Uniform(1), setting, "weight" + layer);
        for (int i = 0; i < CHAINS / 2; i++) {
          weight.set(i, Math.signum(weight.get(i)));
        }
        computation.stage("weight" + layer, weight);
        computation.stage("bias" + layer, drawn(arena, new Normal(1), setting, "bias" + layer));
      }
      computation.run();
      double most = 0;
      for (int layer = 1; layer <= CHAIN; layer++) {
        double largest = computation.read("largest" + layer)[0];
        double bound = Math.pow(0.25, layer);
        most = Math.max(most, largest / bound);
        table.row(layer, largest, bound, largest / bound);
      }
      verdicts.add(bounded(most));
    }
    return table;
  }

  /** Judges the largest gradient of any chain and length, as a share of its bound. */
  static Verdict bounded(double most) {
    return new Verdict(
        "one sigmoid unit a layer, |w| <= 1: the gradient is at most (1/4)^L for L = 1 to " + CHAIN,
        Numbers.text(most) + " of the bound at most",
        "1",
        "rounding of a float, 1e-5",
        most <= 1 + 1e-5);
  }

  private static HostTensor drawn(Arena arena, Initializer draw, Setting setting, String name) {
    HostTensor value = HostTensor.allocate(arena, TensorType.f32(CHAINS));
    draw.fill(value, Initializer.generator(setting.seed(0), name));
    return value;
  }

  /** What activation and weights of each layer do to the gradient's norm, before any training. */
  private static void factors(Setting setting, Splits examples, List<Table> tables, List<Figure> figures) {
    Table table =
        setting.table(
            "factors",
            "Width %s, %s hidden layers: factors on the gradient's norm, geometric mean of layers 2 to %s"
                .formatted(WIDTH, LAYERS, LAYERS),
            List.of(
                "start",
                "activation",
                "weights",
                "both",
                "first / last gradient",
                "largest singular value of the weights"));
    Table byLayer =
        setting
            .table(
                "gradients",
                "Norm of the loss's gradient by the sums of each hidden layer",
                List.of("start", "layer", "gradient norm", "factor of the activation", "factor of the weights above"))
            .detail();
    Panel panel = Panel.of("Gradient by layer, before training", "hidden layer", "norm", Scale.LOG_Y);
    for (Start start : STARTS) {
      setting.doing("gradients of %s", start.name);
      var network = Networks.dense(LAYERS, WIDTH, examples.classes(), start.activation, start.weight);
      try (Course course = new Course(setting, network, new Sgd(), examples.training(), BATCH, setting.seed(0));
          LayerProbe probe =
              new LayerProbe(setting, course, examples.test().take(PROBED), VanishingGradient::addGradients)) {
        Computation seen = probe.look(course);
        double[] sums = byLayer(seen, "sum");
        double[] outputs = byLayer(seen, "output");
        double activation = 1;
        double weights = 1;
        for (int i = 0; i < LAYERS; i++) {
          double own = sums[i] / outputs[i];
          // The weights between layer i and i + 1 take the gradient from the sums of the one to the outputs of the
          // other.
          double above = i + 1 < LAYERS ? outputs[i] / sums[i + 1] : Double.NaN;
          byLayer.row(start.name, i + 1, sums[i], own, above);
          if (i > 0) {
            activation *= own;
          }
          if (i + 1 < LAYERS) {
            weights *= above;
          }
        }
        double root = 1.0 / (LAYERS - 1);
        table.row(
            start.name,
            Math.pow(activation, root),
            Math.pow(weights, root),
            Math.pow(activation * weights, root),
            sums[0] / sums[LAYERS - 1],
            largestSingularValue(course));
        panel = panel.line(start.name, Numbers.counting(1, LAYERS), sums);
      }
    }
    tables.add(table);
    tables.add(byLayer);
    figures.add(new Figure("gradient-by-layer", panel));
  }

  /** The most that weights can do to a gradient's norm, geometric mean of those behind layers 2 to the last. */
  private static double largestSingularValue(Course course) {
    double product = 1;
    try (Arena arena = Arena.ofConfined()) {
      Map<String, HostTensor> weights = course.weights(arena);
      for (int layer = 2; layer <= LAYERS; layer++) {
        HostTensor weight = weights.get("dense" + layer + ".weight");
        DMatrixRMaj matrix = new DMatrixRMaj(WIDTH, WIDTH);
        for (int i = 0; i < WIDTH * WIDTH; i++) {
          matrix.set(i, weight.get(i));
        }
        var decomposition = DecompositionFactory_DDRM.svd(WIDTH, WIDTH, false, false, true);
        decomposition.decompose(matrix);
        product *= Numbers.most(decomposition.getSingularValues());
      }
    }
    return Math.pow(product, 1.0 / (LAYERS - 1));
  }

  private static double[] byLayer(Computation seen, String name) {
    return IntStream.range(0, LAYERS).mapToDouble(i -> seen.read(name + i)[0]).toArray();
  }

  /** Adds the norms of the gradients by each hidden layer's sums and by its outputs. */
  private static void addGradients(List<Tensor> outputs, Tensor labels) {
    Tensor loss = new SoftmaxCrossEntropy().perExample(outputs.getLast(), labels).mean();
    List<Tensor> hidden = outputs.subList(2, outputs.size() - 1); // sums and outputs by turns
    List<Tensor> gradients = Gradients.of(loss, hidden);
    for (int i = 0; i < LAYERS; i++) {
      labels.graph().output("sum" + i, Statistics.norm(gradients.get(2 * i), DType.F64));
      labels.graph().output("output" + i, Statistics.norm(gradients.get(2 * i + 1), DType.F64));
    }
  }

  private static void accuracies(
      Setting setting, Splits examples, List<Table> tables, List<Figure> figures, Edges edges) {
    int epochs = setting.sized(5, 1);
    Table table =
        setting.table(
            "accuracies",
            "Validation accuracy in %% after %s epochs on %s images, mean of %s seeds"
                .formatted(epochs, examples.training().size(), SEEDS),
            List.of("hidden layers", "sigmoid", "sigmoid ±", "sigmoid's rate", "ReLU", "ReLU ±", "ReLU's rate"));
    double[][] means = new double[2][DEPTHS.length];
    for (int d = 0; d < DEPTHS.length; d++) {
      List<Object> cells = new ArrayList<>(List.of(DEPTHS[d]));
      for (int which = 0; which < 2; which++) {
        Start start = STARTS.get(which == 0 ? 2 : 4);
        double rate = tuned(setting, examples, start, DEPTHS[d], epochs, edges);
        double[] accuracies = new double[SEEDS];
        for (int seed = 0; seed < SEEDS; seed++) {
          accuracies[seed] = 100 * accuracy(setting, examples, start, DEPTHS[d], rate, epochs, 1 + seed);
        }
        ConfidenceInterval interval = ConfidenceInterval.of(accuracies);
        means[which][d] = interval.mean();
        cells.addAll(List.of(interval.mean(), interval.high() - interval.mean(), rate));
      }
      table.row(cells);
    }
    tables.add(table);
    double[] depths = Arrays.stream(DEPTHS).asDoubleStream().toArray();
    figures.add(
        new Figure(
            "accuracy-by-depth",
            Panel.of("Accuracy by depth", "hidden layers", "validation accuracy in %", Scale.LINEAR)
                .line("sigmoid", depths, means[0])
                .line("ReLU, He", depths, means[1])));
  }

  private static double tuned(Setting setting, Splits examples, Start start, int depth, int epochs, Edges edges) {
    double[] rates = setting.quick() ? new double[] {RATES[1]} : RATES;
    double best = Tuning.highest(rates, rate -> accuracy(setting, examples, start, depth, rate, epochs, 0));
    edges.look(depth + " layers, " + start.name, best, rates);
    return best;
  }

  private static double accuracy(
      Setting setting, Splits examples, Start start, int depth, double rate, int epochs, int seed) {
    setting.doing("%d hidden layers, %s, rate %s, seed %d", depth, start.name, Numbers.text(rate), seed);
    var network = Networks.dense(depth, WIDTH, examples.classes(), start.activation, start.weight);
    try (Course course = new Course(setting, network, new Sgd(), examples.training(), BATCH, setting.seed(seed))) {
      course.train(epochs * course.stepsPerEpoch(), rate);
      return course.judge(examples.validation()).accuracy();
    }
  }
}
