package dev.lamina.train;

import java.util.List;

/**
 * What one layer did with a batch while it was trained. Figures that make no sense for the layer are NaN. Where it has
 * more than 131,072 values (2¹⁷), histograms and the figures of outputs but for dead units and peaks are of so many,
 * those of the first examples.
 *
 * @param path the layer's name from the model down
 * @param kind what it is: {@code relu}, {@code conv2d}
 * @param mean of its outputs
 * @param deviation their standard deviation
 * @param gradientMean of the gradient of the loss with respect to its outputs
 * @param gradientDeviation its standard deviation
 * @param zeros the share of outputs that are 0; of activations only
 * @param saturated the share of the inputs of its sigmoids and tanhs, gates included, beyond ±5, where almost no
 *     gradient passes
 * @param deadUnits of ReLUs the share of units that were 0 for every example, place and step through time
 * @param unitPeaks of ReLUs the largest output of each unit (the last dimension: a channel, or a feature); else empty
 * @param histogram of its outputs
 * @param gradientHistogram of the gradient with respect to them
 */
public record LayerStatistics(
    String path,
    String kind,
    double mean,
    double deviation,
    double gradientMean,
    double gradientDeviation,
    double zeros,
    double saturated,
    double deadUnits,
    List<Double> unitPeaks,
    Histogram histogram,
    Histogram gradientHistogram) {

  public LayerStatistics {
    unitPeaks = List.copyOf(unitPeaks);
  }

  /**
   * Counts of values in bins of equal width.
   *
   * @param low where the first bin begins
   * @param high where the last one ends
   * @param counts values in each bin
   */
  public record Histogram(double low, double high, List<Long> counts) {
    public Histogram {
      counts = List.copyOf(counts);
    }

    /** Where it begins and ends, without counts. */
    Histogram range() {
      return new Histogram(low, high, List.of());
    }
  }

  /** The same without what is large: peaks of units, and counts. */
  public LayerStatistics figures() {
    return new LayerStatistics(
        path,
        kind,
        mean,
        deviation,
        gradientMean,
        gradientDeviation,
        zeros,
        saturated,
        deadUnits,
        List.of(),
        histogram.range(),
        gradientHistogram.range());
  }
}
