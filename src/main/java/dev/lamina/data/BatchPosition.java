package dev.lamina.data;

/**
 * A place in the sequence of batches; with the same dataset, order and batch size, everything from here on is the same.
 *
 * @param epoch passes over the data before this place
 * @param batch batches of this epoch before this place
 */
public record BatchPosition(int epoch, int batch) {
  /** The beginning. */
  public static final BatchPosition START = new BatchPosition(0, 0);

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if one is negative
   */
  public BatchPosition {
    if (epoch < 0 || batch < 0) {
      throw new IllegalArgumentException("a batch position has no negative number, got " + epoch + " and " + batch);
    }
  }
}
