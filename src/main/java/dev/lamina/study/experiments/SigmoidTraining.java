package dev.lamina.study.experiments;

import dev.lamina.study.Numbers;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * How a net of sigmoids was trained.
 *
 * @param accuracies on validation examples, at each look
 * @param percentiles of the inputs of each unit of the last hidden layer: [look][percentile][unit]
 */
record SigmoidTraining(double rate, double[] accuracies, double[][][] percentiles) {
  static final double[] PERCENTILES = {0.15, 0.50, 0.85};

  /** {@link #PERCENTILES} of each unit, [percentile][unit], of values [example][unit] of {@code units}. */
  static double[][] percentiles(int units, double[] values) {
    double[][] percentiles = new double[PERCENTILES.length][units];
    for (int unit = 0; unit < units; unit++) {
      int own = unit;
      double[] inputs = IntStream.range(0, values.length / units).mapToDouble(i -> values[i * units + own]).toArray();
      for (int p = 0; p < PERCENTILES.length; p++) {
        percentiles[p][unit] = Numbers.quantile(PERCENTILES[p], inputs);
      }
    }
    return percentiles;
  }

  double best() {
    return Numbers.most(accuracies);
  }

  double last() {
    return accuracies[accuracies.length - 1];
  }

  /**
   * How many times as long {@code other} takes to its best accuracy as this; one that never gets there counts as if it
   * did one look after the end.
   */
  double soonerThan(SigmoidTraining other) {
    double goal = other.best();
    return (other.firstAt(goal) + 1.0) / (firstAt(goal) + 1.0);
  }

  /**
   * The steps to an accuracy; NaN if it never gets there.
   *
   * @param at steps of each look
   */
  double stepsTo(double accuracy, double[] at) {
    int look = firstAt(accuracy);
    return look < at.length ? at[look] : Double.NaN;
  }

  private int firstAt(double accuracy) {
    int looks = accuracies.length;
    return IntStream.range(0, looks).filter(i -> accuracies[i] >= accuracy).findFirst().orElse(looks);
  }

  /** How far percentiles move in the second half of training, over the distance of the outer two; the median unit. */
  double wandering() {
    int looks = percentiles.length;
    double[] units = new double[percentiles[0][0].length];
    for (int unit = 0; unit < units.length; unit++) {
      double moved = 0;
      double distance = 0;
      for (int p = 0; p < PERCENTILES.length; p++) {
        double[] over = series(p, unit);
        moved += Numbers.deviation(Arrays.copyOfRange(over, looks / 2, looks)) / PERCENTILES.length;
      }
      double[] low = series(0, unit);
      double[] high = series(PERCENTILES.length - 1, unit);
      for (int look = looks / 2; look < looks; look++) {
        distance += (high[look] - low[look]) / (looks - looks / 2);
      }
      units[unit] = moved / distance;
    }
    return Numbers.quantile(0.5, units);
  }

  /** A percentile of a unit at each look. */
  double[] series(int percentile, int unit) {
    return Arrays.stream(percentiles).mapToDouble(look -> look[percentile][unit]).toArray();
  }
}
