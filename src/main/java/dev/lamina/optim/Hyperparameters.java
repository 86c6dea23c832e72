package dev.lamina.optim;

/** Checks of what optimizers are made with. */
final class Hyperparameters {
  private Hyperparameters() {}

  /** Requires a decay rate of an average: in [0, 1). */
  static void requireShare(String optimizer, String what, double value) {
    if (!(value >= 0 && value < 1)) {
      throw new IllegalArgumentException(
          optimizer + ": expected a " + what + " of 0 or more and below 1, got " + value);
    }
  }

  /** Requires 0 or more. */
  static void requireNotNegative(String optimizer, String what, double value) {
    if (!(value >= 0 && value < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(optimizer + ": expected a finite " + what + " of 0 or more, got " + value);
    }
  }
}
