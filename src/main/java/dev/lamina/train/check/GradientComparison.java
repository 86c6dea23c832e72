package dev.lamina.train.check;

import java.util.function.DoubleUnaryOperator;

/**
 * A computed derivative beside central differences.
 *
 * @param computed the derivative that is doubted
 * @param difference the central difference that came closest
 * @param error {@code |computed − difference| / max(|computed|, |difference|)}, 0 if both are 0
 * @param verdict what follows
 */
record GradientComparison(double computed, double difference, double error, Verdict verdict) {
  /** The first is near the cube root of the precision of a double, where truncation and rounding balance. */
  private static final double[] STEPS = {1e-5, 1e-6, 1e-7};

  /** Smooth functions stay far below; wrong gradients, far above. */
  private static final double TOLERANCE = 1e-5;

  /** Roundings of a loss, in units of its last place: sums of thousands of terms, which partly cancel. */
  private static final double ROUNDINGS = 32;

  /** What a comparison says. */
  enum Verdict {
    /** The first step agrees, to {@link #TOLERANCE} or to the rounding of the difference. */
    AGREES,
    /** The steps cross a kink, where a function has two slopes; what can be compared agrees. */
    KINK,
    /** The computed derivative is wrong. */
    DIFFERS
  }

  /**
   * Compares.
   *
   * @param computed the derivative of {@code loss} at 0
   * @param loss by the distance from where the derivative was computed
   */
  static GradientComparison of(double computed, DoubleUnaryOperator loss) {
    GradientComparison closest = null;
    double middle = Double.NaN;
    for (double step : STEPS) {
      double above = loss.applyAsDouble(step);
      double below = loss.applyAsDouble(-step);
      double difference = (above - below) / (2 * step);
      double rounding = ROUNDINGS * Math.ulp(Math.max(1, Math.max(Math.abs(above), Math.abs(below)))) / step;
      double error = error(computed, difference);
      boolean isFirst = closest == null;
      if (error <= TOLERANCE || Math.abs(computed - difference) <= rounding) {
        return new GradientComparison(computed, difference, error, isFirst ? Verdict.AGREES : Verdict.KINK);
      }
      if (isFirst || error < closest.error) {
        closest = new GradientComparison(computed, difference, error, Verdict.DIFFERS);
      }
      middle = isFirst ? loss.applyAsDouble(0) : middle;
      // With a kink at hand the slopes to both sides differ, and the computed one, which is one of them or lies
      // between,
      // differs from their mean by no more than half of that. Where the function is smooth they are the same.
      double jump = Math.abs((above - middle) - (middle - below)) / step;
      if (step == STEPS[STEPS.length - 1] && Math.abs(computed - difference) <= jump / 2 * (1 + TOLERANCE) + rounding) {
        return new GradientComparison(computed, difference, error, Verdict.KINK);
      }
    }
    return closest;
  }

  /** Not a number counts as wrong. */
  private static double error(double computed, double difference) {
    if (computed == difference) {
      return 0;
    }
    double error = Math.abs(computed - difference) / Math.max(Math.abs(computed), Math.abs(difference));
    return Double.isNaN(error) ? Double.POSITIVE_INFINITY : error;
  }

  /** Whether the derivative is so small that it was compared with the rounding of the difference, not with itself. */
  boolean isLostInRounding() {
    return verdict == Verdict.AGREES && error > TOLERANCE;
  }
}
