package dev.lamina.benchmarks;

import dev.lamina.tensor.HostTensor;

/**
 * How far floats are from the exact result.
 *
 * @param largest absolute value of the exact result
 * @param error the largest that is not among the outliers
 * @param ulps the largest error of all, in units of the last place of a float
 */
record Comparison(double largest, double error, double ulps) {
  /**
   * One in so many elements may be as wrong as it likes: where a rounding moves a value across the kink of an
   * activation, the derivative is that of the other side. NaN and infinity are never forgiven.
   */
  private static final long KINKS = 10_000;

  /** Roundings within the expressions of one element. */
  private static final double ROUNDINGS = 32;

  private static final double EPSILON = 0x1p-24;

  /** Compares {@code got}, floats, with {@code want}, doubles. */
  static Comparison of(HostTensor got, HostTensor want) {
    int forgiven = Math.toIntExact(got.size() / KINKS);
    var worst = new java.util.PriorityQueue<Double>();
    double largest = 0;
    double ulps = 0;
    for (long i = 0; i < got.size(); i++) {
      double exact = want.get(i);
      double error = error(got.get(i), exact);
      if (error == Double.POSITIVE_INFINITY) {
        return new Comparison(largest, error, error);
      }
      largest = Double.isFinite(exact) ? Math.max(largest, Math.abs(exact)) : largest;
      ulps = error == 0 ? ulps : Math.max(ulps, error / Math.ulp((float) exact));
      if (worst.size() <= forgiven) {
        worst.add(error);
      } else if (error > worst.peek()) {
        worst.poll();
        worst.add(error);
      }
    }
    return new Comparison(largest, worst.isEmpty() ? 0 : worst.peek(), ulps);
  }

  private static double error(double got, double exact) {
    if (Double.isNaN(exact) ? Double.isNaN(got) : got == (float) exact) {
      return Double.isFinite(exact) && Double.isFinite(got) ? Math.abs(got - exact) : 0;
    }
    double error = Math.abs(got - exact);
    return Double.isFinite(error) ? error : Double.POSITIVE_INFINITY;
  }

  /**
   * Throws unless the error is one that roundings explain.
   *
   * @param what was compared, for the message
   * @param sensitivity of the {@link Definition}
   */
  void require(String what, double sensitivity) {
    double allowed = EPSILON * ROUNDINGS * sensitivity * largest;
    if (!(error <= allowed)) {
      throw new IllegalStateException(
          what
              + ": off by "
              + error
              + " from the reference device, where values of up to "
              + largest
              + " allow "
              + allowed);
    }
  }
}
