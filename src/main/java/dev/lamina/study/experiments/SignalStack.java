package dev.lamina.study.experiments;

import static dev.lamina.graph.Exprs.input;

import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Statistics;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.nn.activation.Activation;
import dev.lamina.nn.init.Initializer;
import dev.lamina.nn.init.Normal;
import dev.lamina.study.Computation;
import dev.lamina.study.Setting;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Unit Gaussian inputs through equal layers without bias, and what becomes of their deviation layer by layer. Weights
 * are drawn once from N(0, 1) and scaled on the device, so that initialisations are compared on the same draws.
 */
final class SignalStack implements AutoCloseable {
  private static final TensorType SCALAR = TensorType.of(DType.F32);

  private final int layers;
  private final Variable inputs;
  private final List<Variable> weights = new ArrayList<>();
  private final Computation computation;

  /**
   * What was measured after the activation of each layer.
   *
   * @param deviation standard deviation
   * @param beyond share of values above 0.97 in size
   * @param low smallest value
   * @param high largest value
   * @param histogram counts between the two, [layer][bin]; empty unless asked for
   */
  record Signals(double[] deviation, double[] beyond, double[] low, double[] high, double[][] histogram) {}

  /**
   * Compiles the stack.
   *
   * @param examples rows of the input
   * @param width units of the input and of each layer
   * @param bins of the histograms; 0 for none
   */
  SignalStack(Setting setting, int examples, int width, int layers, Activation activation, int bins) {
    this.layers = layers;
    Graph graph = new Graph();
    inputs = new Variable("inputs", TensorType.f32(examples, width), Variable.Kind.STATISTIC);
    Tensor scale = graph.input("scale", SCALAR);
    Tensor x = graph.read(inputs);
    for (int i = 0; i < layers; i++) {
      Variable weight = new Variable("weight" + i, TensorType.f32(width, width), Variable.Kind.WEIGHT);
      weights.add(weight);
      x = x.matmul(graph.read(weight).times(scale)).map(activation::apply);
      graph.output("deviation" + i, Statistics.deviation(x, DType.F64));
      graph.output("beyond" + i, Statistics.share(x, Exprs.abs(input(0)), Relation.GT, 0.97, DType.F64));
      Tensor low = Statistics.least(x);
      Tensor high = Statistics.largest(x);
      graph.output("low" + i, low);
      graph.output("high" + i, high);
      if (bins > 0) {
        graph.output("histogram" + i, x.histogram(low, high, bins));
      }
    }
    computation = new Computation(setting.device(), graph);
  }

  /** Draws inputs and weights anew. */
  void draw(long seed) {
    try (Arena arena = Arena.ofShared()) {
      HostTensor data = drawn(arena, inputs, seed);
      // Drawing takes longer than the products; each weight has a generator of its own.
      List<HostTensor> values = weights.parallelStream().map(weight -> drawn(arena, weight, seed)).toList();
      computation.write(inputs, data);
      for (int i = 0; i < layers; i++) {
        computation.write(weights.get(i), values.get(i));
      }
    }
  }

  private static HostTensor drawn(Arena arena, Variable variable, long seed) {
    HostTensor value = HostTensor.allocate(arena, variable.type());
    new Normal(1).fill(value, Initializer.generator(seed, variable.name()));
    return value;
  }

  /** The signals where weights have standard deviation {@code std}. */
  Signals at(double std) {
    computation.stage("scale", SCALAR, std);
    computation.run();
    double[][] histogram =
        computation.has("histogram0")
            ? IntStream.range(0, layers).mapToObj(i -> computation.read("histogram" + i)).toArray(double[][]::new)
            : new double[0][];
    return new Signals(byLayer("deviation"), byLayer("beyond"), byLayer("low"), byLayer("high"), histogram);
  }

  private double[] byLayer(String name) {
    return IntStream.range(0, layers).mapToDouble(i -> computation.read(name + i)[0]).toArray();
  }

  @Override
  public void close() {
    computation.close();
  }
}
