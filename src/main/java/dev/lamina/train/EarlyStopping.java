package dev.lamina.train;

/**
 * Ends training when the validation figures have stopped getting better.
 *
 * @param patience epochs without improvement that are put up with, 1 or more
 * @param minimumGain what counts as improvement: of accuracy (0 to 1) for classes, of loss for regression; 0 or more
 */
public record EarlyStopping(int patience, double minimumGain) {
  public EarlyStopping {
    if (patience < 1 || !(minimumGain >= 0)) {
      throw new IllegalArgumentException(
          "early stopping: expected a patience of 1 or more and a gain of 0 or more, got "
              + patience
              + " and "
              + minimumGain);
    }
  }

  /** Any improvement counts. */
  public EarlyStopping(int patience) {
    this(patience, 0);
  }
}
