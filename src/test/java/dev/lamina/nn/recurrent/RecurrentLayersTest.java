package dev.lamina.nn.recurrent;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.lamina.nn.Dense;
import dev.lamina.nn.Layer;
import dev.lamina.nn.LayerRun;
import dev.lamina.nn.Parameters;
import dev.lamina.nn.Scope.Mode;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.init.Constant;
import dev.lamina.nn.init.Initializer;
import dev.lamina.nn.init.Lsuv;
import dev.lamina.nn.recurrent.Rnn.Nonlinearity;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class RecurrentLayersTest {
  private static final int N = 3;
  private static final int TIME = 5;
  private static final int FEATURES = 4;
  private static final int UNITS = 6;
  private static final Shape SEQUENCES = Shape.of(N, TIME, FEATURES);

  /** Sums of ten products in double, five times over. */
  private static final double ROUNDING = 1e-14;

  private final SplittableRandom random = new SplittableRandom(21);

  private double[] normal(int size) {
    return random.doubles(size, -1.2, 1.2).toArray();
  }

  /** Step {@code t} of each example, of what lies as [n, time, features]. */
  private static double[][] example(double[] x, int n) {
    double[][] steps = new double[TIME][];
    for (int t = 0; t < TIME; t++) {
      int at = (n * TIME + t) * FEATURES;
      steps[t] = Arrays.copyOfRange(x, at, at + FEATURES);
    }
    return steps;
  }

  @FunctionalInterface
  private interface Expected {
    double[][] steps(ByHand loops, double[][] x, double[] candidateBias);
  }

  private void check(Layer layer, int gates, boolean sequences, Expected expected) {
    double[] x = normal(N * TIME * FEATURES);
    double[] weight = normal(gates * UNITS * FEATURES);
    double[] recurrent = normal(gates * UNITS * UNITS);
    double[] bias = normal(gates * UNITS);
    double[] candidateBias = normal(UNITS);
    ByHand loops = new ByHand(UNITS, FEATURES, weight, recurrent, bias);
    LayerRun.Result result =
        new LayerRun(layer)
            .set("weight", weight)
            .set("recurrent", recurrent)
            .set("bias", bias)
            .set("candidate_bias", candidateBias)
            .run(SEQUENCES, x);
    assertEquals(sequences ? Shape.of(N, TIME, UNITS) : Shape.of(N, UNITS), result.shape());
    int each = sequences ? TIME * UNITS : UNITS;
    for (int n = 0; n < N; n++) {
      double[][] steps = expected.steps(loops, example(x, n), candidateBias);
      double[] wanted = sequences ? Stream.of(steps).flatMapToDouble(Arrays::stream).toArray() : steps[TIME - 1];
      assertArrayEquals(wanted, Arrays.copyOfRange(result.output(), n * each, (n + 1) * each), ROUNDING);
    }
  }

  @Test
  void aPlainLayerIsTheLoopOverItsSteps() {
    check(new Rnn(UNITS), 1, false, (loops, x, _) -> loops.rnn(x, Math::tanh));
    check(new Rnn(UNITS).sequences(), 1, true, (loops, x, _) -> loops.rnn(x, Math::tanh));
    check(new Rnn(UNITS).with(Nonlinearity.RELU), 1, false, (loops, x, _) -> loops.rnn(x, sum -> Math.max(0, sum)));
    check(new Rnn(UNITS).with(Nonlinearity.LINEAR), 1, false, (loops, x, _) -> loops.rnn(x, sum -> sum));
  }

  @Test
  void longShortTermMemoryIsTheLoopOverItsSteps() {
    check(new Lstm(UNITS), 4, false, (loops, x, _) -> loops.lstm(x));
    check(new Lstm(UNITS).sequences(), 4, true, (loops, x, _) -> loops.lstm(x));
  }

  @Test
  void aGatedUnitIsTheLoopOverItsStepsWithTheResetBehindTheProduct() {
    check(new Gru(UNITS), 3, false, ByHand::gru);
    check(new Gru(UNITS).sequences(), 3, true, ByHand::gru);
  }

  @Test
  void theCutChangesNoOutput() {
    check(new Rnn(UNITS).truncated(2), 1, false, (loops, x, _) -> loops.rnn(x, Math::tanh));
    check(new Lstm(UNITS).truncated(2), 4, false, (loops, x, _) -> loops.lstm(x));
    check(new Gru(UNITS).truncated(2), 3, false, ByHand::gru);
  }

  static Stream<Arguments> cut() {
    return IntStream.rangeClosed(1, TIME + 1)
        .boxed()
        .flatMap(steps ->
            Stream.of(
                arguments(new Rnn(UNITS), new Rnn(UNITS).truncated(steps), steps),
                arguments(new Lstm(UNITS), new Lstm(UNITS).truncated(steps), steps),
                arguments(new Gru(UNITS), new Gru(UNITS).truncated(steps), steps)));
  }

  @ParameterizedTest
  @MethodSource("cut")
  void theLastStepSendsItsGradientBackByExactlyTheStepsOfTheCut(Layer whole, Layer truncated, int steps) {
    double[] x = normal(N * TIME * FEATURES);
    double[] full = new LayerRun(whole).run(SEQUENCES, x).gradient();
    double[] part = new LayerRun(truncated).run(SEQUENCES, x).gradient();
    for (int i = 0; i < x.length; i++) {
      int t = i / FEATURES % TIME;
      assertEquals(t < TIME - steps ? 0 : full[i], part[i], "element " + i + ", step " + t);
      assertTrue(Math.abs(full[i]) > 1e-9, "without the cut there is a gradient to be cut");
    }
  }

  @Test
  void weightsGetTheGradientOfAPropagationThatIsCutByHand() {
    for (int every : new int[] {0, 1, 2, 3, 5, 9}) {
      double[] x = normal(TIME * FEATURES);
      double[] weight = normal(UNITS * FEATURES);
      double[] recurrent = normal(UNITS * UNITS);
      double[] bias = normal(UNITS);
      double[][] h = new ByHand(UNITS, FEATURES, weight, recurrent, bias).rnn(example(x, 0), Math::tanh);
      // Back through the loop for the sum of all outputs, with what comes from the next step dropped at a cut.
      double[] expected = new double[UNITS * UNITS];
      double[] back = new double[UNITS];
      for (int t = TIME - 1; t >= 0; t--) {
        double[] slope = new double[UNITS];
        for (int u = 0; u < UNITS; u++) {
          slope[u] = (1 + back[u]) * (1 - h[t][u] * h[t][u]);
        }
        back = new double[UNITS];
        boolean starts = t == 0 || (every > 0 && t % every == 0);
        for (int u = 0; u < UNITS; u++) {
          for (int v = 0; v < UNITS; v++) {
            expected[u * UNITS + v] += t == 0 ? 0 : slope[u] * h[t - 1][v];
            back[v] += starts ? 0 : recurrent[u * UNITS + v] * slope[u];
          }
        }
      }
      double[] got =
          new WeightGradient(new Rnn(UNITS).sequences().truncated(every), "recurrent")
              .of(x, weight, recurrent, bias, FEATURES);
      assertArrayEquals(expected, got, ROUNDING * 10, "cut every " + every);
    }
  }

  @Test
  void anImageIsReadRowByRow() {
    double[] x = normal(N * TIME * FEATURES);
    Layer layer = new Gru(UNITS);
    double[] rows = new LayerRun(layer).run(SEQUENCES, x).output();
    assertArrayEquals(rows, new LayerRun(layer).run(Shape.of(N, TIME, 2, 2), x).output());
  }

  @Test
  void layersAreStackedWhenTheLowerOneReturnsAllSteps() {
    Layer stack = new Sequential(new Lstm(UNITS).sequences(), new Gru(4).sequences(), new Rnn(3), new Dense(2));
    assertEquals(Shape.of(N, 2), LayerRun.trace(stack, Mode.TRAINING, new Parameters(), N, TIME, FEATURES).shape());
  }

  @Test
  void oneStepIsEnough() {
    double[] x = normal(N * FEATURES);
    double[] output = new LayerRun(new Lstm(UNITS)).run(Shape.of(N, 1, FEATURES), x).output();
    assertEquals(N * UNITS, output.length);
    assertTrue(Arrays.stream(output).anyMatch(y -> Math.abs(y) > 1e-3));
  }

  @Test
  void gatesBeginOrthogonalEachByItselfAndTheForgetGateOpen() {
    Parameters parameters = new Parameters();
    LayerRun.trace(new Lstm(UNITS), Mode.TRAINING, parameters, N, TIME, FEATURES);
    double[] recurrent = initial(parameters, "recurrent");
    double[] weight = initial(parameters, "weight");
    double limit = Math.sqrt(6.0 / (UNITS + FEATURES));
    assertTrue(Arrays.stream(weight).allMatch(w -> Math.abs(w) <= limit), "fans are those of one gate");
    assertTrue(Arrays.stream(weight).anyMatch(w -> Math.abs(w) > 0.8 * limit));
    for (int gate = 0; gate < 4; gate++) {
      for (int a = 0; a < UNITS; a++) {
        for (int b = 0; b < UNITS; b++) {
          double product = 0;
          for (int i = 0; i < UNITS; i++) {
            product += recurrent[(gate * UNITS + a) * UNITS + i] * recurrent[(gate * UNITS + b) * UNITS + i];
          }
          assertEquals(a == b ? 1 : 0, product, 1e-6);
        }
      }
    }
    double[] bias = initial(parameters, "bias");
    for (int i = 0; i < bias.length; i++) {
      assertEquals(i / UNITS == 1 ? 1 : 0, bias[i]);
    }
  }

  private static double[] initial(Parameters parameters, String name) {
    try (Arena arena = Arena.ofConfined()) {
      Parameters.Declaration declaration =
          parameters.all().stream().filter(d -> d.variable().name().equals(name)).findFirst().orElseThrow();
      TensorType type = declaration.variable().type();
      assertEquals(DType.F32, type.dtype());
      HostTensor value = HostTensor.allocate(arena, type);
      declaration.initializer().fill(value, Initializer.generator(3, name));
      return value.toDoubles();
    }
  }

  @Test
  void whatDoesNotFitIsRefusedInOneLineThatSaysWhatToDo() {
    assertRefused(
        "lstm: expected sequences [n,time,features], or images [n,h,w,c], which are read row by row, got [3,6]",
        () -> LayerRun.trace(new Lstm(4), Mode.TRAINING, new Parameters(), 3, 6));
    assertRefused(
        "rnn2: rnn: expected sequences",
        () ->
            LayerRun.trace(new Sequential(new Rnn(4), new Rnn(4)), Mode.TRAINING, new Parameters(), N, TIME, FEATURES));
    assertRefused(
        "does the recurrent layer before it return all steps",
        () ->
            LayerRun.trace(
                new Sequential(new Gru(4).sequences(), new Dense(2)),
                Mode.TRAINING,
                new Parameters(),
                N,
                TIME,
                FEATURES));
    assertRefused("gru: expected 1 unit or more, got 0", () -> new Gru(0));
    assertRefused("or 0 for all; got -1", () -> new Rnn(2).truncated(-1));
    assertRefused("rnn: a weight has no initializer", () -> new Rnn(2).init(null, new Constant(1)));
    assertRefused("rnn: lsuv scales a layer by its output", () -> new Rnn(2).init(new Lsuv(), new Constant(1)));
    assertRefused("rnn: the nonlinearity is missing", () -> new Rnn(2).with(null));
    assertRefused(
        "a finite forget bias", () -> new Lstm(2, false, 0, new Constant(1), new Constant(1), null, Double.NaN));
  }

  private static void assertRefused(String words, org.junit.jupiter.api.function.Executable action) {
    String message = assertThrows(IllegalArgumentException.class, action).getMessage();
    assertTrue(message.contains(words), message);
    assertTrue(!message.contains("\n"), message);
  }
}
