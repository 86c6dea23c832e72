package dev.lamina.search;

import java.util.Comparator;
import java.util.List;
import java.util.stream.DoubleStream;

/**
 * How a trial went.
 *
 * @param trial its number, from 1
 * @param stage of the search, from 1
 * @param epochs that it was trained for, or would have been
 * @param end why it ended
 * @param accuracy on what was held out, of the best epoch, 0 to 1: the mean over the folds; NaN for regression
 * @param deviation of the accuracy from fold to fold (of the loss for regression), with n − 1; NaN for a single one
 * @param loss on what was held out, of the best epoch: the mean over the folds
 * @param bestEpoch of the first fold
 * @param examples that were held out, of all folds together
 * @param folds the accuracy (the loss for regression) of each
 * @param seconds of training
 * @param reason what went wrong; empty if nothing did
 */
public record Outcome(
    int trial,
    int stage,
    int epochs,
    End end,
    double accuracy,
    double deviation,
    double loss,
    int bestEpoch,
    long examples,
    List<Double> folds,
    double seconds,
    String reason) {

  /** The better one first: by accuracy, among equals by loss, then the earlier. What went wrong comes last. */
  public static final Comparator<Outcome> BEST_FIRST =
      Comparator.comparingInt((Outcome outcome) -> outcome.isGood() ? 0 : 1)
          .thenComparingDouble(outcome -> Double.isNaN(outcome.accuracy) ? 0 : -outcome.accuracy)
          .thenComparingDouble(Outcome::loss)
          .thenComparingInt(Outcome::trial);

  /** Why a trial ended. */
  public enum End {
    /** After all epochs. */
    FINISHED,
    /** By the recipe's own rule for stopping early. */
    STOPPED_EARLY,
    /** A loss or gradient was not finite. */
    DIVERGED,
    /** The recipe makes no model, none that fits into memory, or nothing that these data or this device can do. */
    FAILED
  }

  public Outcome {
    folds = List.copyOf(folds);
  }

  /** An outcome without figures. */
  static Outcome bad(Trial trial, int epochs, End end, double seconds, String reason) {
    double none = Double.NaN;
    return new Outcome(trial.number(), trial.stage(), epochs, end, none, none, none, 0, 0, List.of(), seconds, reason);
  }

  /** Whether there are figures to compare. */
  public boolean isGood() {
    return end == End.FINISHED || end == End.STOPPED_EARLY;
  }

  /** Whether it was judged by accuracy, not by loss. */
  public boolean isClassification() {
    return !Double.isNaN(accuracy);
  }

  /** What trials are compared by: accuracy where there is one, else loss. */
  public double figure() {
    return isClassification() ? accuracy : loss;
  }

  /** The standard deviation with n − 1; NaN for fewer than two values. */
  static double deviation(double[] values) {
    double mean = DoubleStream.of(values).average().orElse(Double.NaN);
    double squares = DoubleStream.of(values).map(value -> (value - mean) * (value - mean)).sum();
    return values.length < 2 ? Double.NaN : Math.sqrt(squares / (values.length - 1));
  }
}
