package dev.lamina.graph;

import static dev.lamina.graph.Exprs.constant;
import static dev.lamina.graph.Exprs.input;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.graph.Expr.BinaryOp;
import dev.lamina.graph.Expr.UnaryOp;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Symbolic derivatives against central differences, both in double. */
class DerivativeTest {
  private static final Expr X = input(0);
  private static final Expr Y = input(1);

  @ParameterizedTest
  @EnumSource(UnaryOp.class)
  void everyFunctionOfOneValueHasTheSlopeThatDifferencesShow(UnaryOp op) {
    for (double x : new double[] {0.3, 0.9, 1.7, 4.2}) {
      assertSlope(Exprs.unary(op, X), x, 0);
      // Composed, so that the chain rule takes part: the argument stays positive for the roots and logarithms.
      assertSlope(Exprs.unary(op, Exprs.add(Exprs.mul(X, X), 0.1)), x, 0);
    }
    if (op != UnaryOp.LOG && op != UnaryOp.SQRT && op != UnaryOp.LOG1P) {
      assertSlope(Exprs.unary(op, X), -2.3, 0);
    }
  }

  @ParameterizedTest
  @EnumSource(BinaryOp.class)
  void everyFunctionOfTwoValuesHasTheSlopeThatDifferencesShow(BinaryOp op) {
    for (double[] xy : new double[][] {{0.4, 1.3}, {-1.2, 0.7}, {2.5, -0.6}}) {
      assertSlope(Exprs.binary(op, X, Y), xy[0], xy[1]);
      assertSlope(Exprs.binary(op, Exprs.mul(X, Y), Exprs.exp(X)), xy[0], xy[1]);
    }
  }

  static Stream<Expr> activations() {
    return Stream.of(
        Exprs.ifNotPositive(X, constant(0), X),
        Exprs.ifNotPositive(X, Exprs.mul(X, 0.01), X),
        Exprs.ifNotPositive(X, Exprs.mul(Exprs.expm1(X), 1.5), X),
        Exprs.mul(Exprs.ifNotPositive(X, Exprs.mul(Exprs.expm1(X), 1.67), X), 1.05),
        Exprs.sigmoid(X),
        Exprs.tanh(X));
  }

  @ParameterizedTest
  @MethodSource("activations")
  void aSlopeInTermsOfTheOutputIsTheSlope(Expr activation) {
    Expr slope = Derivative.of(activation, 0, input(1)).orElseThrow();
    Expr viaOutput = Derivative.inTermsOfOutput(slope, activation, 2);
    for (double x : new double[] {-30, -1.5, -1e-30, 0, 1e-30, 0.2, 3, 30}) {
      double y = value(activation, x);
      assertEquals(
          value(slope, x, 0.7), value(viaOutput, x, 0.7, y), 1e-15 + 1e-12 * Math.abs(y), activation + " at " + x);
    }
  }

  @Test
  void theCommonActivationsNeedOnlyTheirOutputToGoBackward() {
    List<Expr> onlyOutput = activations().filter(e -> !(e instanceof Expr.Binary)).toList();
    for (Expr activation : onlyOutput) {
      Expr slope = Derivative.inTermsOfOutput(Derivative.of(activation, 0, input(1)).orElseThrow(), activation, 2);
      assertFalse(ExprRewriter.reads(slope, 0), activation + " still reads its argument: " + slope);
    }
  }

  @Test
  void aSmallFactorOnThePositiveSideCouldRoundToZeroSoTheArgumentIsKept() {
    Expr shrinking = Exprs.ifNotPositive(X, constant(0), Exprs.mul(X, 0.5));
    Expr slope = Derivative.inTermsOfOutput(Derivative.of(shrinking, 0, input(1)).orElseThrow(), shrinking, 2);
    assertTrue(ExprRewriter.reads(slope, 0));
  }

  @Test
  void anInfiniteGradientIsStoppedByAConstantBranchAndNotTurnedIntoNaN() {
    Expr relu = Exprs.ifNotPositive(X, constant(0), X);
    Expr slope = Derivative.of(relu, 0, input(1)).orElseThrow();
    assertEquals(0, value(slope, -1, Double.POSITIVE_INFINITY));
    assertEquals(Double.POSITIVE_INFINITY, value(slope, 1, Double.POSITIVE_INFINITY));
  }

  @Test
  void equalArgumentsOfAMaximumShareTheGradient() {
    for (BinaryOp op : List.of(BinaryOp.MAX, BinaryOp.MIN)) {
      Expr slope = Derivative.of(Exprs.binary(op, X, Y), 0, constant(1)).orElseThrow();
      assertEquals(0.5, value(slope, 3, 3), op.toString());
    }
  }

  @Test
  void whatDoesNotDependOnAnInputHasNoDerivativeAtAll() {
    assertEquals(Optional.empty(), Derivative.of(Exprs.exp(Y), 0, constant(1)));
    assertEquals(Optional.empty(), Derivative.of(new Expr.Index(0), 0, constant(1)));
    assertEquals(Optional.empty(), Derivative.of(new Expr.Uniform(new RandomStream(1, 2, 0)), 0, constant(1)));
  }

  private static void assertSlope(Expr expr, double x, double y) {
    double h = 1e-5;
    double difference = (value(expr, x + h, y) - value(expr, x - h, y)) / (2 * h);
    double slope = Derivative.of(expr, 0, constant(1)).map(e -> value(e, x, y)).orElse(0.0);
    assertEquals(difference, slope, 1e-6 * Math.max(1, Math.abs(difference)), expr + " at " + x + ", " + y);
  }

  private static double value(Expr expr, double... inputs) {
    return ExprEvaluator.evaluate(
        expr,
        new ExprEvaluator.Element() {
          @Override
          public double input(int index) {
            return inputs[index];
          }

          @Override
          public long coordinate(int axis) {
            return 0;
          }

          @Override
          public long flatIndex() {
            return 0;
          }
        });
  }
}
