package dev.lamina.graph;

/**
 * A pair of extents over the two image axes.
 *
 * @param height along rows
 * @param width along columns
 */
public record Size(int height, int width) {

  /** The same extent both ways. */
  public static Size square(int extent) {
    return new Size(extent, extent);
  }

  void requirePositive(String what) {
    if (height < 1 || width < 1) {
      throw new IllegalArgumentException(what + ": expected 1 or more, got " + this);
    }
  }

  /** {@code height·width}. */
  public int area() {
    return height * width;
  }

  @Override
  public String toString() {
    return height + "x" + width;
  }
}
