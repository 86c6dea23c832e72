package dev.lamina.train;

import dev.lamina.train.LearningRateFinder.Point;
import java.util.List;
import java.util.Optional;

/**
 * What a range test has found: the loss over a growing learning rate.
 *
 * @param points one for each step, in the order of their rates; fewer if it was stopped, perhaps none
 * @param exploded whether the last one has a loss that exploded
 */
public record RateCurve(List<Point> points, boolean exploded) {
  /** A fall of the smoothed loss by less than this share is taken for noise. */
  private static final double LEAST_FALL = 0.05;

  /** How far below the rate of the lowest loss a training is safe: that loss already fights the rate that made it. */
  private static final double SAFETY = 10;

  public RateCurve {
    points = List.copyOf(points);
  }

  /**
   * Rates to train with.
   *
   * @param steepest where the smoothed loss falls fastest for a factor in the rate: learning is quickest there
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

  /** Rates to train with; empty if the loss never fell. */
  public Optional<Suggestion> suggestion() {
    int lowest = 0;
    for (int i = 1; i < points.size(); i++) {
      if (points.get(i).smoothed() < points.get(lowest).smoothed()) {
        lowest = i;
      }
    }
    if (!(points.get(lowest).smoothed() < (1 - LEAST_FALL) * points.getFirst().smoothed())) {
      return Optional.empty();
    }
    // Rates grow by the same factor each step, so a difference of neighbours is a slope over the logarithm.
    int steepest = lowest;
    double slope = Double.POSITIVE_INFINITY;
    for (int i = 1; i < lowest; i++) {
      double difference = points.get(i + 1).smoothed() - points.get(i - 1).smoothed();
      if (difference < slope) {
        slope = difference;
        steepest = i;
      }
    }
    return Optional.of(new Suggestion(points.get(steepest).rate(), points.get(lowest).rate()));
  }
}
