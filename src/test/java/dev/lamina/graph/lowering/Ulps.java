package dev.lamina.graph.lowering;

/** Distances in units in the last place of a float. */
public final class Ulps {
  private Ulps() {}

  /**
   * How far {@code actual} is from {@code expected}, in units of the floats about the expected value. Infinite if one
   * is NaN and the other is not, or if only one is infinite after rounding.
   */
  public static double between(double expected, float actual) {
    float nearest = (float) expected;
    if (Float.isNaN(nearest) || Float.isNaN(actual)) {
      return Float.isNaN(nearest) && Float.isNaN(actual) ? 0 : Double.POSITIVE_INFINITY;
    }
    if (Float.isInfinite(nearest) || Float.isInfinite(actual)) {
      return nearest == actual || closeToOverflow(expected, actual) ? 0 : Double.POSITIVE_INFINITY;
    }
    return Math.abs(expected - actual) / Math.ulp(nearest);
  }

  /** Around the overflow threshold a result may fall on either side. */
  private static boolean closeToOverflow(double expected, float actual) {
    return Math.abs(expected) > 0x1.fffffap127
        && Math.abs(expected) < 0x1.000002p128
        && Math.abs((double) actual) >= 0x1.fffffap127
        && Math.signum(expected) == Math.signum(actual);
  }
}
