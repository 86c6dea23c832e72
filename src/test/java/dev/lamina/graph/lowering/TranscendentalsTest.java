package dev.lamina.graph.lowering;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.UnaryOp;
import dev.lamina.graph.ExprEvaluator;
import dev.lamina.graph.Exprs;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

class TranscendentalsTest {
  private static final Set<UnaryOp> FUNCTIONS = EnumSet.range(UnaryOp.EXP, UnaryOp.ERF);

  /** The documented errors, with a tenth for the floats between those that were measured. */
  private static double allowedUlps(UnaryOp op) {
    return 0.1
        + switch (op) {
          case EXP -> 1.02;
          case EXPM1 -> 1.44;
          case LOG -> 0.80;
          case LOG1P -> 1.37;
          case TANH -> 1.50;
          case SIGMOID, SOFTPLUS -> 1.65;
          case ERF -> 1.05;
          case NEG, ABS, SIGN, SQRT -> throw new IllegalArgumentException(op + " is exact");
        };
  }

  private static CodeInterpreter interpreter(UnaryOp op) {
    return new CodeInterpreter(Lowering.lower(List.of(Exprs.unary(op, new Expr.Input(0)))));
  }

  /** An odd step visits all signs and exponents, and every low bit of a mantissa. */
  @TestFactory
  Stream<DynamicTest> errorOverTheWholeFloatRangeIsWithinTheDocumentedUlps() {
    return FUNCTIONS.stream().map(op -> DynamicTest.dynamicTest(op.name(), () -> sweep(op, 2999)));
  }

  /** With the worst that a GPU's instructions may do, in each direction; what is below the normal numbers may be 0. */
  @TestFactory
  Stream<DynamicTest> thoseFor16BitsAreWithinASixteenthOfHalfAUnit() {
    return FUNCTIONS.stream()
        .flatMap(op ->
            Stream.of(-0x1p-22, 0x1p-22)
                .flatMap(first ->
                    Stream.of(-0x1p-22, 0x1p-22)
                        .map(second ->
                            DynamicTest.dynamicTest(
                                op + " " + first + " " + second, () -> sweepCoarsely(op, first, second)))));
  }

  private static void sweepCoarsely(UnaryOp op, double exp2Error, double otherError) {
    Code lowered = Lowering.lowerFor16Bits(List.of(Exprs.unary(op, new Expr.Input(0))));
    CodeInterpreter code = new CodeInterpreter(lowered, exp2Error, otherError);
    for (long bits = 0; bits < 1L << 32; bits += 29989) {
      float x = Float.intBitsToFloat((int) bits);
      double expected = ExprEvaluator.apply(op, x);
      float actual = code.runOne(x);
      boolean right =
          (float) expected == actual
              || Double.isNaN(expected) && Float.isNaN(actual)
              || Math.abs(actual - expected) <= 0x1p-16 * Math.abs(expected) + Float.MIN_NORMAL
              || Math.abs(expected) > 0.9999 * Float.MAX_VALUE && Float.isInfinite(actual);
      assertTrue(right, () -> op + "(" + x + ") is " + expected + ", and not " + actual);
    }
  }

  @Tag("slow")
  @TestFactory
  Stream<DynamicTest> errorOverAHundredMillionFloatsIsWithinTheDocumentedUlps() {
    return FUNCTIONS.stream().map(op -> DynamicTest.dynamicTest(op.name(), () -> sweep(op, 41)));
  }

  private static void sweep(UnaryOp op, int stride) {
    CodeInterpreter code = interpreter(op);
    double worst = 0;
    float worstAt = 0;
    for (long bits = 0; bits < 1L << 32; bits += stride) {
      float x = Float.intBitsToFloat((int) bits);
      double expected = ExprEvaluator.apply(op, x);
      double error = Ulps.between(expected, code.runOne(x));
      if (!(error <= worst)) {
        worst = error;
        worstAt = x;
      }
    }
    assertTrue(worst <= allowedUlps(op), op + " is off by " + worst + " ulp at " + worstAt);
  }

  @TestFactory
  Stream<DynamicTest> zerosInfinitiesNaNAndHugeArgumentsAreExact() {
    float inf = Float.POSITIVE_INFINITY;
    float[] arguments = {0f, -0f, inf, -inf, Float.NaN, 1e4f, -1e4f, Float.MAX_VALUE, -Float.MAX_VALUE, -1f};
    return FUNCTIONS.stream()
        .map(op ->
            DynamicTest.dynamicTest(
                op.name(),
                () ->
                    assertAll(
                        floats(arguments)
                            .map(x ->
                                () -> {
                                  float expected = (float) ExprEvaluator.apply(op, x);
                                  float actual = interpreter(op).runOne(x);
                                  if (Math.abs(expected) == 0 || !Float.isFinite(expected)) {
                                    assertEquals(expected, actual, op + "(" + x + ")");
                                  } else {
                                    assertEquals(
                                        0, Ulps.between(ExprEvaluator.apply(op, x), actual), 2, op + "(" + x + ")");
                                  }
                                }))));
  }

  /** A step down of a result is at most what rounding can do: the two errors together. */
  @TestFactory
  Stream<DynamicTest> neighbouringArgumentsGiveResultsInOrder() {
    return FUNCTIONS.stream()
        .map(op ->
            DynamicTest.dynamicTest(
                op.name(),
                () -> {
                  CodeInterpreter code = interpreter(op);
                  for (float x = op == UnaryOp.LOG ? 1e-3f : -0.9f; x < 5; x += 1e-4f) {
                    float here = code.runOne(x);
                    float next = code.runOne(x + 0x1p-12f);
                    assertTrue(
                        next >= here - 2 * Math.ulp(here), op + " falls at " + x + " from " + here + " to " + next);
                  }
                }));
  }

  private static Stream<Float> floats(float[] values) {
    return IntStream.range(0, values.length).mapToObj(i -> values[i]);
  }
}
