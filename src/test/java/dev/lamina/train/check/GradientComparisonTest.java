package dev.lamina.train.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.train.check.GradientComparison.Verdict;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

/** Right and wrong derivatives of functions that are known, with kinks and without. */
class GradientComparisonTest {
  private static Verdict verdict(double computed, DoubleUnaryOperator function) {
    return GradientComparison.of(computed, function).verdict();
  }

  @Test
  void rightDerivativesOfSmoothFunctionsAgree() {
    assertEquals(Verdict.AGREES, verdict(1, d -> 2.3 + Math.sin(d)));
    assertEquals(Verdict.AGREES, verdict(-3e-3, d -> 2.3 - 3e-3 * d + d * d));
    assertEquals(Verdict.AGREES, verdict(0, _ -> 2.3));
    assertEquals(Verdict.AGREES, verdict(0, d -> d * d));
  }

  @Test
  void wrongDerivativesDiffer() {
    assertEquals(Verdict.DIFFERS, verdict(1.001, d -> 2.3 + Math.sin(d)));
    assertEquals(Verdict.DIFFERS, verdict(-1, d -> 2.3 + Math.sin(d)));
    assertEquals(Verdict.DIFFERS, verdict(0, d -> 2.3 + 1e-3 * d));
    assertEquals(Verdict.DIFFERS, verdict(2e-3, d -> 2.3 + 1e-3 * d + 5 * d * d));
    assertEquals(Verdict.DIFFERS, verdict(Double.NaN, d -> 2.3 + d));
    assertEquals(Verdict.DIFFERS, verdict(1, _ -> Double.NaN));
  }

  @Test
  void theErrorIsTheCourses() {
    GradientComparison comparison = GradientComparison.of(3, d -> 2.3 + 2 * d);
    assertEquals(2, comparison.difference(), 1e-6);
    assertEquals(1 / 3.0, comparison.error(), 1e-6, "|a − n| / max(|a|, |n|)");
  }

  /** A rectifier whose kink lies at {@code place}. */
  private static DoubleUnaryOperator rectifier(double place) {
    return d -> 2.3 + 4 * Math.max(0, d - place);
  }

  @Test
  void kinksWithinTheStepAreRecognised() {
    for (double place : new double[] {3e-6, 4e-7, 2e-8}) {
      assertEquals(Verdict.KINK, verdict(0, rectifier(place)), "slope below a kink at " + place);
      assertEquals(Verdict.KINK, verdict(4, rectifier(-place)), "slope above a kink at " + -place);
    }
    assertEquals(Verdict.KINK, verdict(0, rectifier(0)));
    assertEquals(Verdict.KINK, verdict(4, rectifier(0)));
    assertEquals(Verdict.AGREES, verdict(0, rectifier(1e-4)));
  }

  @Test
  void wrongDerivativesDoNotHideBehindKinks() {
    for (double place : new double[] {3e-6, 4e-7, 0}) {
      assertEquals(Verdict.DIFFERS, verdict(-1, rectifier(place)), "at " + place);
      assertEquals(Verdict.DIFFERS, verdict(5, rectifier(place)), "at " + place);
    }
    assertEquals(Verdict.DIFFERS, verdict(1, rectifier(3e-6)), "neither of both slopes");
    assertTrue(GradientComparison.of(5, rectifier(0)).error() > 0.1);
  }
}
