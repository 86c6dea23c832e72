package dev.lamina.train;

import java.util.List;

/**
 * How a training went.
 *
 * @param epochs those of this run, in order
 * @param end why it ended
 * @param completedEpochs by all runs of this training
 * @param best the epoch with the best figures, of all runs of this training; its weights are those of the model now,
 *     unless the training was interrupted
 * @param steps updates done, by all runs of this training
 * @param seconds from the first update to the end, validation and checkpoints included, of all runs
 * @param examplesPerSecond trained on, while updates were done
 */
public record TrainingReport(
    List<EpochReport> epochs,
    End end,
    int completedEpochs,
    Best best,
    long steps,
    double seconds,
    double examplesPerSecond) {

  /** Why a training ended. */
  public enum End {
    /** All epochs are done. */
    FINISHED,
    /** Validation figures had stopped getting better. */
    STOPPED_EARLY,
    /** A listener asked for it; the training can be continued. */
    INTERRUPTED
  }

  /**
   * The best epoch, with the figures that it was judged by.
   *
   * @param epoch counted from 1; 0 if none was completed
   * @param loss the mean over what was held out; infinite if no epoch was completed
   * @param accuracy 0 to 1; NaN for regression
   */
  public record Best(int epoch, double loss, double accuracy) {}

  public TrainingReport {
    epochs = List.copyOf(epochs);
  }

  /** The epoch whose weights the model has now, counted from 1; 0 if none was completed. */
  public int bestEpoch() {
    return best.epoch;
  }
}
