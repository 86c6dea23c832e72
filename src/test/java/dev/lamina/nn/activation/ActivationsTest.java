package dev.lamina.nn.activation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.gradients.GradientCheck;
import dev.lamina.graph.Exprs;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Layer;
import dev.lamina.nn.LayerRun;
import dev.lamina.nn.Parameters;
import dev.lamina.nn.Scope;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.numbers.gamma.Erfc;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ActivationsTest {
  private static final double INF = Double.POSITIVE_INFINITY;
  private static final double NAN = Double.NaN;

  /**
   * An activation and what it should be.
   *
   * @param formula as the literature writes it, good for moderate arguments
   * @param atMinusInfinity its value there, NaN where ∞·0 or ∞/∞ is computed, as PyTorch does
   * @param atInfinity its value there
   */
  record Case(Layer activation, DoubleUnaryOperator formula, double atMinusInfinity, double atInfinity) {
    @Override
    public String toString() {
      return activation.toString();
    }
  }

  private static double sigma(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  private static double relu6(double x) {
    return Math.min(Math.max(0, x), 6);
  }

  static Stream<Case> activations() {
    double lambda = 1.0507009873554805;
    double alpha = 1.6732632423543772;
    return Stream.of(
        new Case(new Identity(), x -> x, -INF, INF),
        new Case(new Sigmoid(), ActivationsTest::sigma, 0, 1),
        new Case(new Tanh(), x -> 2 * sigma(2 * x) - 1, -1, 1),
        new Case(new ReLU(), x -> Math.max(0, x), 0, INF),
        new Case(new LeakyReLU(), x -> Math.max(0.01 * x, x), -INF, INF),
        new Case(new LeakyReLU(0.1), x -> Math.max(0.1 * x, x), -INF, INF),
        new Case(new PReLU(), x -> Math.max(0.25 * x, x), -INF, INF),
        new Case(new PReLU(true), x -> Math.max(0.25 * x, x), -INF, INF),
        new Case(new ELU(), x -> x > 0 ? x : Math.exp(x) - 1, -1, INF),
        new Case(new ELU(1.5), x -> x > 0 ? x : 1.5 * (Math.exp(x) - 1), -1.5, INF),
        new Case(new SELU(), x -> lambda * (x > 0 ? x : alpha * (Math.exp(x) - 1)), -lambda * alpha, INF),
        new Case(new GELU(), x -> x * 0.5 * Erfc.value(-x / Math.sqrt(2)), NAN, INF),
        new Case(
            new GELU(GELU.Approximation.TANH),
            x -> x * sigma(2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * Math.pow(x, 3))),
            NAN,
            INF),
        new Case(new SiLU(), x -> x * sigma(x), NAN, INF),
        new Case(new Softplus(), x -> Math.log(1 + Math.exp(x)), 0, INF),
        new Case(new Softsign(), x -> x / (1 + Math.abs(x)), NAN, NAN),
        new Case(new HardSigmoid(), x -> relu6(x + 3) / 6, 0, 1),
        new Case(new HardSwish(), x -> x * relu6(x + 3) / 6, 0, INF),
        new Case(new Mish(), x -> x * Math.tanh(Math.log(1 + Math.exp(x))), NAN, INF));
  }

  private static double[] apply(Layer activation, double... x) {
    return new LayerRun(activation).run(Shape.of(x.length, 1), x).output();
  }

  private static double[] slope(Layer activation, double... x) {
    return new LayerRun(activation).run(Shape.of(x.length, 1), x).gradient();
  }

  @ParameterizedTest
  @MethodSource("activations")
  void itIsTheFormulaOfTheLiterature(Case c) {
    double[] x = IntStream.rangeClosed(-24, 24).mapToDouble(i -> i * 0.25).toArray();
    double[] expected = Arrays.stream(x).map(c.formula).toArray();
    // The formulas cancel near 0 and below: each of their few operations is off by half a unit of numbers up to 7.
    assertArrayEquals(expected, apply(c.activation, x), 16 * Math.ulp(7.0));
  }

  @ParameterizedTest
  @MethodSource("activations")
  void itsGradientIsItsSlope(Case c) {
    GradientCheck check = new GradientCheck().shaping(x -> GradientCheck.awayFromZero(0.05).applyAsDouble(2 * x));
    check.check(
        (graph, in) -> {
          Scope scope =
              Scope.root(
                  graph,
                  Scope.Mode.TRAINING,
                  new Parameters(),
                  DType.F64,
                  1,
                  graph.constant(TensorType.of(DType.I32), 1));
          return c.activation.forward(in.getFirst(), scope);
        },
        Shape.of(4, 5));
  }

  @ParameterizedTest
  @MethodSource("activations")
  void farOutValueAndSlopeAreFiniteAndNearTheirLimits(Case c) {
    // Each point with a neighbour on either side.
    double[] x = {-1.001e4, -1e4, -0.999e4, -100.1, -100, -99.9, 99.9, 100, 100.1, 0.999e4, 1e4, 1.001e4};
    double[] y = apply(c.activation, x);
    double[] slope = slope(c.activation, x);
    for (int i = 1; i < x.length; i += 3) {
      String what = c + " at " + x[i];
      assertTrue(Double.isFinite(y[i]) && Double.isFinite(slope[i]), what + ": " + y[i] + ", slope " + slope[i]);
      double formula = c.formula.applyAsDouble(x[i]);
      if (Double.isFinite(formula)) {
        assertEquals(formula, y[i], 1e-13 * Math.abs(x[i]), what);
      }
      assertEquals((y[i + 1] - y[i - 1]) / (x[i + 1] - x[i - 1]), slope[i], 1e-5, "slope of " + what);
    }
  }

  @ParameterizedTest
  @MethodSource("activations")
  void notANumberIsLetThrough(Case c) {
    double[] y = apply(c.activation, NAN, 1);
    assertTrue(Double.isNaN(y[0]), c + " hides NaN: " + y[0]);
    assertTrue(Double.isFinite(y[1]), "and stays with its element");
  }

  @ParameterizedTest
  @MethodSource("activations")
  void infinityHasItsLimitOrIsNotANumber(Case c) {
    double[] y = apply(c.activation, -INF, INF);
    assertEquals(c.atMinusInfinity, y[0], 1e-12);
    assertEquals(c.atInfinity, y[1], 1e-12);
  }

  /** A float overflows where a double does not: intermediate results beyond 3e38 would show here. */
  @ParameterizedTest
  @MethodSource("activations")
  void inFloatOnTheCpuItIsAsSafe(Case c) {
    double[] x = {-INF, -1e4, -100, -17, -3, -1e-3, 0, 1e-3, 3, 17, 100, 1e4, INF, NAN};
    Shape shape = Shape.of(x.length, 1);
    LayerRun.Result wide = new LayerRun(c.activation).run(shape, x);
    LayerRun.Result narrow = new LayerRun(c.activation).onCpu().run(shape, x);
    for (int i = 0; i < x.length; i++) {
      // Ten operations or so, each off by an ulp of a number of the size of x, or of 1.
      double allowed = Double.isFinite(x[i]) ? 10 * Math.ulp((float) Math.max(1, Math.abs(x[i]))) : 10 * Math.ulp(1f);
      assertEquals(wide.output()[i], narrow.output()[i], allowed, c + " of " + x[i]);
      assertEquals(wide.gradient()[i], narrow.gradient()[i], 10 * Math.ulp(1f), c + "'s slope at " + x[i]);
    }
  }

  @Test
  void theSlopeAtAKinkIsTheOneThatPyTorchTakes() {
    assertEquals(0, slope(new ReLU(), 0)[0]);
    assertEquals(0.01, slope(new LeakyReLU(), 0)[0]);
    assertEquals(0.25, slope(new PReLU(), 0)[0]);
    assertEquals(2, slope(new ELU(2), 0)[0]);
    assertEquals(1.0507009873554805 * 1.6732632423543772, slope(new SELU(), 0)[0], 1e-15);
    assertArrayEquals(new double[] {0, 0}, slope(new HardSigmoid(), -3, 3));
    assertArrayEquals(new double[] {0, 1}, slope(new HardSwish(), -3, 3));
    assertEquals(1, slope(new Softsign(), 0)[0]);
    assertEquals(0.5, slope(new Softplus(), 0)[0]);
  }

  @Test
  void identitiesOfTheCourse() {
    double[] x = {-5, -1.3, -0.2, 0, 0.4, 2, 7};
    double[] sigmoid = apply(new Sigmoid(), x);
    double[] sigmoidOfDouble = apply(new Sigmoid(), Arrays.stream(x).map(v -> 2 * v).toArray());
    double[] tanh = apply(new Tanh(), x);
    double[] sigmoidSlope = slope(new Sigmoid(), x);
    double[] tanhSlope = slope(new Tanh(), x);
    for (int i = 0; i < x.length; i++) {
      assertEquals(sigmoid[i] * (1 - sigmoid[i]), sigmoidSlope[i], 1e-16, "σ′ = σ(1 − σ)");
      assertEquals(1 - tanh[i] * tanh[i], tanhSlope[i], 1e-16, "tanh′ = 1 − tanh²");
      assertEquals(2 * sigmoidOfDouble[i] - 1, tanh[i], 4 * Math.ulp(1.0), "tanh x = 2σ(2x) − 1");
    }
  }

  @Test
  void anActivationOfOnesOwnIsOneLine() {
    Activation swish = x -> Exprs.mul(x, Exprs.sigmoid(x));
    double[] x = {-2, 0.5, 3};
    assertArrayEquals(apply(new SiLU(), x), apply(swish, x));
    assertArrayEquals(slope(new SiLU(), x), slope(swish, x));
  }

  @Test
  void thePReLULearnsOneSlopeOrOneForEachChannel() {
    Parameters one = new Parameters();
    LayerRun.trace(new PReLU(), Scope.Mode.TRAINING, one, 2, 5, 5, 3);
    assertEquals(1, one.count());
    Parameters each = new Parameters();
    LayerRun.trace(new PReLU(true), Scope.Mode.TRAINING, each, 2, 5, 5, 3);
    assertEquals(3, each.count());
    assertTrue(each.all().stream().noneMatch(Parameters.Declaration::decayed), "decay would draw slopes to 0");
    double[] y = new LayerRun(new PReLU(true)).set("weight", 0.1, 0.2).run(Shape.of(1, 2), -1, -1).output();
    assertArrayEquals(new double[] {-0.1, -0.2}, y);
  }

  @Test
  void maxoutTakesTheLargestOfItsPieces() {
    // Two units of two pieces on one input: weights piece by piece.
    LayerRun run = new LayerRun(new Maxout(2, 2)).set("weight", 1, 2, -1, 0.5).set("bias", 0, 0, 0, 1);
    LayerRun.Result result = run.run(Shape.of(2, 1), 3, -2);
    assertArrayEquals(new double[] {3, 6, 2, 0}, result.output());
    assertArrayEquals(new double[] {1 + 2, -1 + 0.5}, result.gradient());
    LayerRun tied = new LayerRun(new Maxout(1, 2)).set("weight", 1, -1).set("bias", 0, 0);
    assertArrayEquals(new double[] {1}, tied.run(Shape.of(1, 1), 0).gradient(), 0, "the first of equal pieces");
  }

  @Test
  void maxoutOfTwoPiecesHasTwiceTheParametersOfADenseLayer() {
    Parameters dense = new Parameters();
    LayerRun.trace(new Dense(7), Scope.Mode.TRAINING, dense, 2, 5);
    Parameters maxout = new Parameters();
    LayerRun.trace(new Maxout(7, 2), Scope.Mode.TRAINING, maxout, 2, 5);
    assertEquals(2 * dense.count(), maxout.count());
  }

  @Test
  void maxoutActsOnEachPixelOfAnImage() {
    assertEquals(
        Shape.of(2, 4, 4, 6),
        LayerRun.trace(new Maxout(6, 3), Scope.Mode.TRAINING, new Parameters(), 2, 4, 4, 5).shape());
  }

  @Test
  void wrongNumbersAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new ELU(0));
    assertThrows(IllegalArgumentException.class, () -> new LeakyReLU(NAN));
    assertThrows(IllegalArgumentException.class, () -> new PReLU(false, INF));
    assertThrows(IllegalArgumentException.class, () -> new Maxout(3, 1));
    assertThrows(IllegalArgumentException.class, () -> new Maxout(3, 257));
    assertThrows(IllegalArgumentException.class, () -> new GELU(null));
  }
}
