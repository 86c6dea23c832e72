package dev.lamina.study;

import java.util.function.DoubleUnaryOperator;

/** Chooses the rate that suits a net best. */
public final class Tuning {
  private Tuning() {}

  /**
   * The rate with the lowest loss; of equal ones the first.
   *
   * @param rates in the order in which they are tried
   * @param loss trains and tells what that ended with; not a number is higher than every number
   */
  public static double lowest(double[] rates, DoubleUnaryOperator loss) {
    double best = rates[0];
    double least = Double.NaN;
    for (double rate : rates) {
      double tried = loss.applyAsDouble(rate);
      // NaN compares as larger than every number.
      if (Double.compare(tried, least) < 0) {
        best = rate;
        least = tried;
      }
    }
    return best;
  }

  /** The rate with the highest score, likewise; not a number is lower than every number. */
  public static double highest(double[] rates, DoubleUnaryOperator score) {
    return lowest(rates, rate -> -score.applyAsDouble(rate));
  }
}
