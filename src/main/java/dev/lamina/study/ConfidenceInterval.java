package dev.lamina.study;

import java.util.Arrays;

/**
 * A mean with its two-sided 95 % confidence interval by Student's t: of values that are normal and independent, such as
 * what a few seeds came to.
 */
public record ConfidenceInterval(double low, double mean, double high) {
  /** Quantiles 0.975 of Student's t for 1, 2, … degrees of freedom. */
  private static final double[] STUDENT = {
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093
  };

  /**
   * Of the mean of {@code values}.
   *
   * @throws IllegalArgumentException if there are fewer than 2 or more than 20
   */
  public static ConfidenceInterval of(double... values) {
    if (values.length < 2 || values.length > STUDENT.length + 1) {
      throw new IllegalArgumentException("an interval is of 2 to 20 values, got " + values.length);
    }
    double mean = Numbers.mean(values);
    double half = STUDENT[values.length - 2] * Numbers.deviation(values) / Math.sqrt(values.length);
    return new ConfidenceInterval(mean - half, mean, mean + half);
  }

  /** Of the mean of {@code a[i] − b[i]}: pairs that have a seed in common. */
  public static ConfidenceInterval ofDifference(double[] a, double[] b) {
    double[] differences = new double[a.length];
    Arrays.setAll(differences, i -> a[i] - b[i]);
    return of(differences);
  }

  /** Of the geometric mean of {@code a[i] / b[i]}: that of the mean logarithm, taken back. */
  public static ConfidenceInterval ofRatio(double[] a, double[] b) {
    double[] logarithms = new double[a.length];
    Arrays.setAll(logarithms, i -> Math.log(a[i] / b[i]));
    ConfidenceInterval interval = of(logarithms);
    return new ConfidenceInterval(Math.exp(interval.low), Math.exp(interval.mean), Math.exp(interval.high));
  }

  /** As a reader has it: the mean and, in brackets, the interval. */
  public String text() {
    return Numbers.text(mean) + " (95 % interval " + Numbers.text(low) + " to " + Numbers.text(high) + ")";
  }
}
