package dev.lamina.train;

import dev.lamina.train.LearningRateFinder.Point;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * What a range test has found: the loss over a growing learning rate.
 *
 * @param points one for each step, in the order of their rates; fewer if it was stopped, perhaps none
 * @param exploded whether the last one has a loss that exploded
 */
public record RateCurve(List<Point> points, boolean exploded) {
  /** A fall of the smoothed loss by less than this share is taken for noise. */
  private static final double LEAST_FALL = 0.05;

  /** By chance the lowest mean is so many standard deviations of a loss below the first in less than 1 test of 100. */
  private static final double LEAST_NOISES = 1.5;

  /** Half of two normal numbers are no farther apart than this many standard deviations: √2 · 0.6745. */
  private static final double MEDIAN_DIFFERENCE = 0.954;

  /** Steps to each side that a slope takes in, at least: the noise of a slope falls with the power 3/2 of them. */
  private static final int LEAST_REACH = 5;

  /** How far below the rate of the lowest loss a training is safe: that loss already fights the rate that made it. */
  private static final double SAFETY = 10;

  public RateCurve {
    points = List.copyOf(points);
  }

  /**
   * Rates to train with.
   *
   * @param steepest where the loss falls fastest for a factor in the rate: learning is quickest there
   * @param lowest where the smoothed loss is lowest: beyond, it grows again
   */
  public record Suggestion(double steepest, double lowest) {

    /** A tenth of {@link #lowest}. */
    public double tenth() {
      return lowest / SAFETY;
    }

    /** The smaller of the two rules: too small a rate costs time, too large a one costs the training. */
    public double rate() {
      return Math.min(steepest, tenth());
    }
  }

  /** Rates to train with; empty if the loss never fell, or by no more than batches differ. */
  public Optional<Suggestion> suggestion() {
    int window = Math.max(1, points.size() / 10);
    double begin = points.stream().limit(window).mapToDouble(Point::loss).average().orElseThrow();
    // The first means are of so few losses that the lowest of all could be one of them by chance.
    int lowest = window - 1;
    for (int i = window; i < points.size(); i++) {
      if (points.get(i).smoothed() < points.get(lowest).smoothed()) {
        lowest = i;
      }
    }
    double fall = begin - points.get(lowest).smoothed();
    if (lowest == 0 || !(fall > Math.max(LEAST_FALL * begin, LEAST_NOISES * noise()))) {
      return Optional.empty();
    }
    int half = Math.min(Math.max(LEAST_REACH, window / 2), lowest / 2);
    int steepest = half == 0 ? lowest : half;
    for (int i = half; i <= lowest - half; i++) {
      steepest = slope(i, half) < slope(steepest, half) ? i : steepest;
    }
    return Optional.of(new Suggestion(points.get(steepest).rate(), points.get(lowest).rate()));
  }

  /**
   * The slope of the line that fits the losses around {@code middle} best (least squares), up to a factor. Rates grow
   * by the same factor each step, so it is a slope over the logarithm. Of the losses themselves, for their smoothed
   * mean lags behind, and in its first points follows every batch.
   */
  private double slope(int middle, int half) {
    double slope = 0;
    for (int distance = -half; distance <= half; distance++) {
      slope += distance * points.get(middle + distance).loss();
    }
    return slope;
  }

  /**
   * The standard deviation of a loss from batch to batch, from the median difference of neighbours: jumps count once.
   */
  private double noise() {
    double[] differences =
        IntStream.range(1, points.size())
            .mapToDouble(i -> Math.abs(points.get(i).loss() - points.get(i - 1).loss()))
            .sorted()
            .toArray();
    return differences[differences.length / 2] / MEDIAN_DIFFERENCE;
  }
}
