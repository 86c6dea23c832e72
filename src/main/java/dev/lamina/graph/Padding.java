package dev.lamina.graph;

/**
 * Rows and columns of zeros around an image.
 *
 * @param top above the first row
 * @param bottom below the last row
 * @param left before the first column
 * @param right after the last column
 */
public record Padding(int top, int bottom, int left, int right) {
  public static final Padding NONE = new Padding(0, 0, 0, 0);

  /**
   * Checks the extents.
   *
   * @throws IllegalArgumentException if one is negative
   */
  public Padding {
    if (Math.min(Math.min(top, bottom), Math.min(left, right)) < 0) {
      throw new IllegalArgumentException(
          "padding: expected 0 or more on each side, got " + top + "," + bottom + "," + left + "," + right);
    }
  }

  /** The same number on each side. */
  public static Padding all(int n) {
    return new Padding(n, n, n, n);
  }

  @Override
  public String toString() {
    return top == bottom && left == right && top == left
        ? Integer.toString(top)
        : top + "," + bottom + "," + left + "," + right;
  }
}
