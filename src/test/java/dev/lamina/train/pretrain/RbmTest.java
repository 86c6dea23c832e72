package dev.lamina.train.pretrain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.device.RunningGraph;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Tensor;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Machines so small that all of their states can be summed over, in double. */
class RbmTest {
  private static final double EXACT = 1e-12;
  private static final int VISIBLE = 4;
  private static final int HIDDEN = 3;

  /** So many deviations are never seen by chance: of the 19 figures of a test, in one of 90,000 tests. */
  private static final double SIGMAS = 5;

  private final Device device = new Devices().open("reference", DeviceOptions.DEFAULT);
  private final Arena arena = Arena.ofShared();

  @AfterEach
  void close() {
    device.close();
    arena.close();
  }

  private HostTensor matrix(double[][] rows) {
    HostTensor tensor = HostTensor.allocate(arena, TensorType.of(DType.F64, rows.length, rows[0].length));
    for (int i = 0; i < rows.length; i++) {
      for (int j = 0; j < rows[0].length; j++) {
        tensor.set((long) i * rows[0].length + j, rows[i][j]);
      }
    }
    return tensor;
  }

  private HostTensor vector(double... values) {
    HostTensor tensor = HostTensor.allocate(arena, TensorType.of(DType.F64, values.length));
    for (int i = 0; i < values.length; i++) {
      tensor.set(i, values[i]);
    }
    return tensor;
  }

  /** What is computed of a machine and data [n, visible]. */
  @FunctionalInterface
  private interface Question {
    void add(Graph graph, Rbm rbm, Tensor v, Tensor step);
  }

  /** All outputs, after each of {@code runs} runs that count steps from 0. */
  private void ask(ExactRbm exact, double[][] data, int runs, Question question, Consumer<Map<String, double[]>> seen) {
    Map<String, HostTensor> inputs = new LinkedHashMap<>();
    inputs.put("w", matrix(exact.weight));
    inputs.put("b", vector(exact.visibleBias));
    inputs.put("c", vector(exact.hiddenBias));
    inputs.put("v", matrix(data));
    inputs.put("step", HostTensor.allocate(arena, TensorType.of(DType.I32)));
    Graph graph = new Graph();
    Map<String, Tensor> in = new LinkedHashMap<>();
    inputs.forEach((name, value) -> in.put(name, graph.input(name, value.type())));
    question.add(graph, new Rbm(exact.units, in.get("w"), in.get("b"), in.get("c")), in.get("v"), in.get("step"));
    try (RunningGraph running = new RunningGraph(device, graph)) {
      inputs.forEach(running::stage);
      for (int run = 0; run < runs; run++) {
        running.stage("step", inputs.get("step").fill(run));
        running.run();
        Map<String, double[]> results = new LinkedHashMap<>();
        graph.outputs().keySet().forEach(name -> results.put(name, running.read(name)));
        seen.accept(results);
      }
    }
  }

  private static double[][] allStates() {
    double[][] states = new double[1 << VISIBLE][];
    Arrays.setAll(states, v -> ExactRbm.bits(v, VISIBLE));
    return states;
  }

  private static void addStatistics(Graph graph, String prefix, ContrastiveDivergence.Statistics statistics) {
    graph.output(prefix + ".weight", statistics.weight());
    graph.output(prefix + ".visible", statistics.visible());
    graph.output(prefix + ".hidden", statistics.hidden());
  }

  private static double[] flat(Map<String, double[]> results, String prefix) {
    return Stream.of("weight", "visible", "hidden")
        .flatMapToDouble(part -> Arrays.stream(results.get(prefix + "." + part)))
        .toArray();
  }

  /** exp(−F) summed over data is the partition sum over all pairs of states. */
  @Test
  void freeEnergiesAreSumsOverHiddenStates() {
    ExactRbm exact = ExactRbm.random(VisibleUnits.BINARY, VISIBLE, HIDDEN, 1.5, 1);
    double pairs = 0;
    for (double[] v : allStates()) {
      for (int h = 0; h < 1 << HIDDEN; h++) {
        pairs += Math.exp(-exact.energy(v, ExactRbm.bits(h, HIDDEN)));
      }
    }
    double expected = pairs;
    ask(
        exact,
        allStates(),
        1,
        (graph, rbm, v, _) -> graph.output("f", rbm.freeEnergy(v)),
        results -> {
          double[] energies = results.get("f");
          for (int v = 0; v < energies.length; v++) {
            assertEquals(exact.freeEnergy(ExactRbm.bits(v, VISIBLE)), energies[v], EXACT);
          }
          double z = Arrays.stream(energies).map(f -> Math.exp(-f)).sum();
          assertEquals(expected, z, EXACT * expected);
        });
  }

  @Test
  void freeEnergiesOfGaussianUnits() {
    ExactRbm exact = ExactRbm.random(VisibleUnits.GAUSSIAN, VISIBLE, HIDDEN, 1.5, 2);
    SplittableRandom random = new SplittableRandom(3);
    double[][] data = new double[20][VISIBLE];
    for (double[] v : data) {
      Arrays.setAll(v, _ -> 2 * random.nextGaussian());
    }
    ask(
        exact,
        data,
        1,
        (graph, rbm, v, _) -> graph.output("f", rbm.freeEnergy(v)),
        results -> {
          for (int n = 0; n < data.length; n++) {
            assertEquals(exact.freeEnergy(data[n]), results.get("f")[n], 10 * EXACT);
          }
        });
  }

  /** What units do when they see data needs no sampling: it is the first part of the gradient, exactly. */
  @ParameterizedTest
  @EnumSource(VisibleUnits.class)
  void statisticsOfDataAreExact(VisibleUnits units) {
    ExactRbm exact = ExactRbm.random(units, VISIBLE, HIDDEN, 1.5, 4);
    double[] share = new double[1 << VISIBLE];
    Arrays.fill(share, 1.0 / share.length);
    ask(
        exact,
        allStates(),
        1,
        (graph, rbm, v, step) ->
            addStatistics(graph, "data", new ContrastiveDivergence(1).of(rbm, v, new Noise(1, "rbm", step)).data()),
        results -> assertNear(exact.statistics(share), flat(results, "data"), EXACT));
  }

  private static void assertNear(double[] expected, double[] actual, double tolerance) {
    assertEquals(expected.length, actual.length);
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], actual[i], tolerance, "figure " + i);
    }
  }

  /**
   * Sampled statistics of the model beside what k alternating steps give exactly, by multiplying transition matrices.
   */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 25})
  void statisticsOfTheModelAreThoseOfSoManySteps(int steps) {
    ExactRbm exact = ExactRbm.random(VisibleUnits.BINARY, VISIBLE, HIDDEN, 1.5, 5);
    double[] begin = ExactRbm.bits(5, VISIBLE);
    double[][] data = new double[1000][];
    Arrays.fill(data, begin);
    double[] chain = new double[1 << VISIBLE];
    chain[5] = 1;
    for (int step = 0; step < steps; step++) {
      chain = exact.step(chain);
    }
    double[] expected = exact.statistics(chain);
    int runs = 20;
    double[] sums = new double[expected.length];
    ask(
        exact,
        data,
        runs,
        (graph, rbm, v, step) ->
            addStatistics(
                graph, "model", new ContrastiveDivergence(steps, true).of(rbm, v, new Noise(1, "rbm", step)).model()),
        results -> {
          double[] seen = flat(results, "model");
          for (int i = 0; i < sums.length; i++) {
            sums[i] += seen[i] / runs;
          }
        });
    // A value between 0 and 1 deviates by a half at most.
    double tolerance = SIGMAS * 0.5 / Math.sqrt((double) runs * data.length);
    assertNear(expected, sums, tolerance);

    // After 25 steps that is the gradient of the likelihood; after one it is not, and the tolerance tells them apart.
    double[] model = exact.statistics(exact.distribution());
    double farthest = 0;
    for (int i = 0; i < model.length; i++) {
      farthest = Math.max(farthest, Math.abs(model[i] - expected[i]));
    }
    assertTrue(steps == 25 ? farthest < 0.1 * tolerance : farthest > 2 * tolerance, "CD-" + steps + ": " + farthest);
  }

  /** The difference of both phases is the gradient of the log-likelihood: central differences of it, exactly summed. */
  @Test
  void theGradientOfTheLikelihoodIsTheDifferenceOfBothPhases() {
    ExactRbm exact = ExactRbm.random(VisibleUnits.BINARY, VISIBLE, HIDDEN, 1, 6);
    double[] data = new double[1 << VISIBLE];
    data[3] = 0.5;
    data[12] = 0.25;
    data[6] = 0.25;
    double[] ofData = exact.statistics(data);
    double[] ofModel = exact.statistics(exact.distribution());
    double epsilon = 1e-5;
    for (int j = 0; j < HIDDEN; j++) {
      for (int i = 0; i < VISIBLE; i++) {
        double w = exact.weight[j][i];
        exact.weight[j][i] = w + epsilon;
        double above = exact.logLikelihood(data);
        exact.weight[j][i] = w - epsilon;
        double below = exact.logLikelihood(data);
        exact.weight[j][i] = w;
        int at = j * VISIBLE + i;
        assertEquals((above - below) / (2 * epsilon), ofData[at] - ofModel[at], 1e-8);
      }
    }
  }

  /**
   * Of a machine with Gaussian units the distribution of h is known: {@code p(h) ∝ exp(c·h + b·u + ½|u|²)} with u =
   * Wᵀh, and with it the mean of v, {@code b + u}.
   */
  @Test
  void gaussianChainsComeToTheModelsMoments() {
    ExactRbm exact = ExactRbm.random(VisibleUnits.GAUSSIAN, VISIBLE, HIDDEN, 0.6, 7);
    double z = 0;
    double[] mean = new double[VISIBLE];
    double[] hidden = new double[HIDDEN];
    for (int state = 0; state < 1 << HIDDEN; state++) {
      double[] h = ExactRbm.bits(state, HIDDEN);
      double[] v = exact.visibleGiven(h);
      double exponent = 0;
      for (int j = 0; j < HIDDEN; j++) {
        exponent += exact.hiddenBias[j] * h[j];
      }
      for (int i = 0; i < VISIBLE; i++) {
        double u = v[i] - exact.visibleBias[i];
        exponent += exact.visibleBias[i] * u + u * u / 2;
      }
      double p = Math.exp(exponent);
      z += p;
      for (int i = 0; i < VISIBLE; i++) {
        mean[i] += p * v[i];
      }
      for (int j = 0; j < HIDDEN; j++) {
        hidden[j] += p * h[j];
      }
    }
    double[][] data = new double[500][VISIBLE];
    int runs = 10;
    double[] seenVisible = new double[VISIBLE];
    double[] seenHidden = new double[HIDDEN];
    ask(
        exact,
        data,
        runs,
        (graph, rbm, v, step) ->
            addStatistics(
                graph, "model", new ContrastiveDivergence(20, true).of(rbm, v, new Noise(2, "rbm", step)).model()),
        results -> {
          for (int i = 0; i < VISIBLE; i++) {
            seenVisible[i] += results.get("model.visible")[i] / runs;
          }
          for (int j = 0; j < HIDDEN; j++) {
            seenHidden[j] += results.get("model.hidden")[j] / runs;
          }
        });
    double share = 1 / z;
    double root = Math.sqrt((double) runs * data.length);
    // Noise of variance 1, and means that lie apart by at most the sum of a unit's weights.
    for (int i = 0; i < VISIBLE; i++) {
      double apart = 0;
      for (int j = 0; j < HIDDEN; j++) {
        apart += Math.abs(exact.weight[j][i]);
      }
      double deviation = Math.sqrt(1 + apart * apart / 4);
      assertEquals(share * mean[i], seenVisible[i], SIGMAS * deviation / root);
    }
    for (int j = 0; j < HIDDEN; j++) {
      assertEquals(share * hidden[j], seenHidden[j], SIGMAS * 0.5 / root);
    }
  }

  /** Normal noise has the moments of normal noise, and its quantiles are the inverse of the normal distribution. */
  @Test
  void gaussianNoiseIsNormal() {
    int count = 100_000;
    ExactRbm nothing = new ExactRbm(VisibleUnits.GAUSSIAN, new double[1][1], new double[1], new double[1]);
    ask(
        nothing,
        new double[count][1],
        1,
        (graph, _, v, step) -> {
          graph.output("x", new Noise(3, "noise", step).gaussian(v, "x"));
        },
        results -> {
          double[] x = results.get("x");
          double[] moments = new double[5];
          for (double value : x) {
            for (int m = 1; m <= 4; m++) {
              moments[m] += Math.pow(value, m) / count;
            }
          }
          // The variances of x, x², x³ and x⁴ are 1, 2, 15 and 96.
          double root = Math.sqrt(count);
          assertEquals(0, moments[1], SIGMAS / root);
          assertEquals(1, moments[2], SIGMAS * Math.sqrt(2) / root);
          assertEquals(0, moments[3], SIGMAS * Math.sqrt(15) / root);
          assertEquals(3, moments[4], SIGMAS * Math.sqrt(96) / root);
          // Published quantiles of the normal distribution.
          Arrays.sort(x);
          for (double[] known : new double[][] {{0.5, 0}, {0.841344746, 1}, {0.975, 1.959963985}, {0.02275013, -2}}) {
            double density = Math.exp(-known[1] * known[1] / 2) / Math.sqrt(2 * Math.PI);
            double deviation = Math.sqrt(known[0] * (1 - known[0])) / density / root;
            assertEquals(known[1], x[(int) (known[0] * count)], SIGMAS * deviation);
          }
        });
  }

  @Test
  void wrongShapesAndNumbersAreRefused() {
    Graph graph = new Graph();
    Tensor w = graph.constant(TensorType.f32(3, 4), 0);
    Tensor b = graph.constant(TensorType.f32(4), 0);
    Tensor c = graph.constant(TensorType.f32(3), 0);
    assertThrows(IllegalArgumentException.class, () -> new Rbm(VisibleUnits.BINARY, w, c, b));
    assertThrows(IllegalArgumentException.class, () -> new ContrastiveDivergence(0));
  }
}
