package dev.lamina.train;

/**
 * The best epoch so far, by what was not trained on. It is part of a checkpoint.
 *
 * @param bestEpoch counted from 1; 0 before the first
 * @param bestAccuracy its accuracy; NaN for regression
 * @param bestLoss its loss
 * @param reference the figure that later epochs must beat by the minimum gain of {@link EarlyStopping}; NaN before the
 *     first epoch
 * @param waited epochs since {@code reference} was beaten
 */
record Standing(int bestEpoch, double bestAccuracy, double bestLoss, double reference, int waited) {
  static final Standing START = new Standing(0, Double.NaN, Double.POSITIVE_INFINITY, Double.NaN, 0);

  /** Whether {@code figures} are better: by accuracy, among equals by loss. */
  boolean isBeatenBy(Evaluation figures) {
    if (bestEpoch == 0) {
      return true;
    }
    int byAccuracy = Double.isNaN(figures.accuracy()) ? 0 : Double.compare(figures.accuracy(), bestAccuracy);
    return byAccuracy > 0 || byAccuracy == 0 && figures.loss() < bestLoss;
  }

  /** The standing after {@code epoch}. */
  Standing after(int epoch, Evaluation figures, double minimumGain) {
    double figure = Double.isNaN(figures.accuracy()) ? -figures.loss() : figures.accuracy();
    boolean gained = Double.isNaN(reference) || figure > reference + minimumGain;
    double next = gained ? figure : reference;
    int nextWaited = gained ? 0 : waited + 1;
    return isBeatenBy(figures)
        ? new Standing(epoch, figures.accuracy(), figures.loss(), next, nextWaited)
        : new Standing(bestEpoch, bestAccuracy, bestLoss, next, nextWaited);
  }
}
