package dev.lamina.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.DeviceProvider;
import dev.lamina.device.RunningGraph;
import dev.lamina.device.cpu.CpuProvider;
import dev.lamina.device.reference.ReferenceProvider;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.nn.LayerRun;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Each optimizer against its formulas, written out as plain loops, for ten steps with a rate that changes. */
class OptimizersTest {
  private static final int SIZE = 7;
  private static final int STEPS = 10;

  private final double[] start = new SplittableRandom(1).doubles(SIZE, -1, 1).toArray();
  private final double[][] gradients = new double[STEPS][];

  OptimizersTest() {
    SplittableRandom random = new SplittableRandom(2);
    for (int t = 0; t < STEPS; t++) {
      gradients[t] = random.doubles(SIZE, -2, 2).toArray();
    }
  }

  private static double rate(int t) {
    return 0.1 / (1 + t);
  }

  /** The weights after each step. */
  private double[][] run(Optimizer optimizer, boolean decayed, DeviceProvider provider, DType dtype) {
    Graph graph = new Graph();
    Variable weight = new Variable("weight", TensorType.of(dtype, SIZE), Variable.Kind.WEIGHT);
    Variable steps = new Variable("steps", TensorType.of(DType.I32), Variable.Kind.COUNTER);
    Tensor gradient = graph.input("gradient", weight.type());
    Tensor rate = graph.input("rate", TensorType.of(dtype));
    Tensor step = graph.read(steps).plus(1);
    Update update = new Update("all", graph.read(weight), gradient, rate, step, decayed);
    graph.assign(weight, optimizer.next(update));
    graph.assign(steps, step);
    double[][] results = new double[STEPS][];
    try (Arena arena = Arena.ofConfined();
        Device device = provider.open(new DeviceOptions(1));
        RunningGraph running = new RunningGraph(device, graph)) {
      running.variables().write(weight, tensor(arena, weight.type(), start));
      for (int t = 0; t < STEPS; t++) {
        running.stage("gradient", tensor(arena, weight.type(), gradients[t]));
        running.stage("rate", tensor(arena, TensorType.of(dtype), rate(t)));
        running.run();
        results[t] = running.variables().read(weight, arena).toDoubles();
      }
    }
    return results;
  }

  private static HostTensor tensor(Arena arena, TensorType type, double... values) {
    HostTensor tensor = HostTensor.allocate(arena, type);
    for (int i = 0; i < values.length; i++) {
      tensor.set(i, values[i]);
    }
    return tensor;
  }

  /** One weight's way, told step by step; {@code t} counts from 1, {@code memory} is zeros at first. */
  private interface Formula {
    double next(double w, double g, double rate, int t, double[] memory);
  }

  private void assertFollows(Formula formula, Optimizer optimizer, boolean decayed) {
    double[][] results = run(optimizer, decayed, new ReferenceProvider(), DType.F64);
    for (int i = 0; i < SIZE; i++) {
      double w = start[i];
      double[] memory = new double[3];
      for (int t = 0; t < STEPS; t++) {
        w = formula.next(w, gradients[t][i], rate(t), t + 1, memory);
        assertEquals(w, results[t][i], 1e-13, optimizer + ", step " + (t + 1) + ", weight " + i);
      }
    }
  }

  @Test
  void sgd() {
    assertFollows((w, g, rate, t, m) -> w - rate * g, new Sgd(), true);
  }

  @Test
  void momentum() {
    assertFollows(
        (w, g, rate, t, m) -> {
          m[0] = 0.8 * m[0] + g;
          return w - rate * m[0];
        },
        new Momentum(0.8),
        true);
  }

  @Test
  void nesterov() {
    assertFollows(
        (w, g, rate, t, m) -> {
          m[0] = 0.8 * m[0] + g;
          return w - rate * (g + 0.8 * m[0]);
        },
        new Nesterov(0.8),
        true);
  }

  @Test
  void adagrad() {
    assertFollows(
        (w, g, rate, t, m) -> {
          m[0] += g * g;
          return w - rate * g / (Math.sqrt(m[0]) + 1e-10);
        },
        new Adagrad(),
        true);
  }

  @Test
  void rmsProp() {
    assertFollows(
        (w, g, rate, t, m) -> {
          m[0] = 0.99 * m[0] + 0.01 * g * g;
          return w - rate * g / (Math.sqrt(m[0]) + 1e-8);
        },
        new RmsProp(),
        true);
  }

  @Test
  void centeredRmsPropWithMomentum() {
    assertFollows(
        (w, g, rate, t, m) -> {
          m[0] = 0.9 * m[0] + 0.1 * g * g;
          m[1] = 0.9 * m[1] + 0.1 * g;
          m[2] = 0.5 * m[2] + g / (Math.sqrt(m[0] - m[1] * m[1]) + 1e-6);
          return w - rate * m[2];
        },
        new RmsProp(0.9, 1e-6, 0.5, true, 0),
        true);
  }

  private static double adam(double w, double g, double rate, int t, double[] m) {
    m[0] = 0.9 * m[0] + (1 - 0.9) * g;
    m[1] = 0.999 * m[1] + (1 - 0.999) * g * g;
    double mean = m[0] / (1 - Math.pow(0.9, t));
    double square = m[1] / (1 - Math.pow(0.999, t));
    return w - rate * mean / (Math.sqrt(square) + 1e-8);
  }

  @Test
  void adamAsInThePaper() {
    assertFollows(OptimizersTest::adam, new Adam(), true);
  }

  @Test
  void adamWTakesItsDecayFromTheWeightAndNotFromTheGradient() {
    assertFollows((w, g, rate, t, m) -> adam(w * (1 - rate * 0.3), g, rate, t, m), new AdamW(0.3), true);
    assertFollows(OptimizersTest::adam, new AdamW(0.3), false);
  }

  @Test
  void l2AddsLambdaWAndNotTwiceThat() {
    assertFollows((w, g, rate, t, m) -> w - rate * (g + 0.2 * w), new Sgd(0.2), true);
    assertFollows((w, g, rate, t, m) -> w - rate * g, new Sgd(0.2), false);
    assertFollows((w, g, rate, t, m) -> adam(w, g + 0.2 * w, rate, t, m), new Adam(0.9, 0.999, 1e-8, 0.2), true);
    assertFollows(
        (w, g, rate, t, m) -> {
          double regularised = g + 0.2 * w;
          m[0] = 0.8 * m[0] + regularised;
          return w - rate * (regularised + 0.8 * m[0]);
        },
        new Nesterov(0.8, 0.2),
        true);
    assertFollows(
        (w, g, rate, t, m) -> {
          double regularised = g + 0.2 * w;
          m[0] += regularised * regularised;
          return w - rate * regularised / (Math.sqrt(m[0]) + 1e-10);
        },
        new Adagrad(1e-10, 0.2),
        true);
  }

  @Test
  void adamsCorrectionDoesNotCancelInAFloat() {
    double[] wide = run(new Adam(), true, new ReferenceProvider(), DType.F64)[0];
    double[] narrow = run(new Adam(), true, new CpuProvider(), DType.F32)[0];
    // The first step: half an ulp each for a weight below 1 and its update, eight for a step of 0.1. With 1 − 0.999
    // computed in a float it is off by 7e-7.
    assertArrayEquals(wide, narrow, Math.ulp(0.5f) + 8 * Math.ulp(0.1f) / 2);
  }

  @Test
  void onlyOneOperationUpdatesWeightsAndSlots() {
    Graph graph = new Graph();
    TensorType type = TensorType.f32(SIZE);
    Tensor weight = graph.input("w", type);
    Update update =
        new Update(
            "all",
            weight,
            graph.input("g", type),
            graph.input("r", TensorType.f32()),
            graph.input("t", TensorType.of(DType.I32)),
            true);
    Tensor next = new AdamW().next(update);
    assertEquals(3, ((Op.Map) next.node().op()).exprs().size());
    graph.assigns().values().forEach(slot -> assertEquals(next.node(), slot.node()));
    assertEquals(List.of("all.mean", "all.square"), update.slots().stream().map(Variable::name).toList());
  }

  @ParameterizedTest
  @ValueSource(doubles = {-0.1, 1, Double.NaN})
  void sharesOutsideOfZeroToOneAreRefused(double share) {
    assertThrows(IllegalArgumentException.class, () -> new Momentum(share));
    assertThrows(IllegalArgumentException.class, () -> new Nesterov(share));
    assertThrows(IllegalArgumentException.class, () -> new RmsProp(share, 1e-8, 0, false, 0));
    var e = assertThrows(IllegalArgumentException.class, () -> new Adam(0.9, share, 1e-8, 0));
    assertTrue(e.getMessage().startsWith("adam: expected a beta2"), e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> new Sgd(-1));
  }

  private static double[] clipped(GradientClip clip, double norm, double... gradient) {
    return new LayerRun((x, scope) -> clip.apply(x, x.graph().constant(TensorType.of(DType.F64), norm)))
        .run(Shape.of(gradient.length), gradient)
        .output();
  }

  @Test
  void clipping() {
    assertArrayEquals(new double[] {0.5, -0.5, 0.2}, clipped(new GradientClip.ByValue(0.5), 9, 3, -4, 0.2));
    assertArrayEquals(new double[] {3, -4}, clipped(new GradientClip.ByNorm(6), 5, 3, -4), "short enough");
    assertArrayEquals(
        new double[] {3 / (5 + 1e-6), -4 / (5 + 1e-6)}, clipped(new GradientClip.ByNorm(1), 5, 3, -4), 1e-15);
    assertArrayEquals(new double[] {0, 0}, clipped(new GradientClip.ByNorm(1), 0, 0, 0));
    assertTrue(Double.isNaN(clipped(new GradientClip.ByValue(1), 1, Double.NaN)[0]), "the guard must see it");
    assertTrue(Double.isNaN(clipped(new GradientClip.ByNorm(1), Double.NaN, 1)[0]));
    assertThrows(IllegalArgumentException.class, () -> new GradientClip.ByNorm(0));
  }
}
