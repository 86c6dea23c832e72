package dev.lamina.train;

import java.util.List;
import java.util.Optional;

/** Says when training and validation figures part, or both stay poor. */
public final class Fit {
  /** The validation loss has risen this far above its best: with less, noise would be called over-fitting. */
  private static final double RISE = 1.15;

  /** Training accuracy further above that of validation than this is memory rather than knowledge. */
  private static final double GAP = 0.08;

  /** Better than guessing by less than this share of what there is to gain is poor. */
  private static final double POOR = 0.5;

  private Fit() {}

  /**
   * A sentence about the last epoch, or nothing if all is well or too early to tell.
   *
   * @param epochs all so far
   * @param classes 0 for regression
   */
  public static Optional<String> verdict(List<EpochReport> epochs, int classes) {
    if (epochs.size() < 2 || epochs.getLast().validation() == null) {
      return Optional.empty();
    }
    Evaluation training = epochs.getLast().training();
    Evaluation validation = epochs.getLast().validation();
    double bestLoss = epochs.stream().mapToDouble(report -> report.validation().loss()).min().orElseThrow();
    // As long as the examples held out fare better than those learned from, nothing has been learned by heart.
    boolean worse = validation.loss() > training.loss() && !(validation.accuracy() >= 1);
    boolean rising =
        worse
            && validation.loss() > RISE * bestLoss
            && training.loss() < epochs.get(epochs.size() - 2).training().loss();
    boolean apart = training.accuracy() - validation.accuracy() > GAP;
    if (rising || apart) {
      return Optional.of(
          "over-fitting: training gets better while validation does not (loss %.3f and %.3f); stop earlier, or use more data, dropout or weight decay"
              .formatted(training.loss(), validation.loss()));
    }
    double guessing = 1.0 / classes;
    boolean poor =
        classes > 1
            && training.accuracy() < guessing + POOR * (1 - guessing)
            && validation.accuracy() < guessing + POOR * (1 - guessing);
    if (poor) {
      return Optional.of(
          "under-fitting: training and validation accuracy are both poor (%.1f %% and %.1f %%); use more epochs, another learning rate, or a larger model"
              .formatted(100 * training.accuracy(), 100 * validation.accuracy()));
    }
    return Optional.empty();
  }
}
