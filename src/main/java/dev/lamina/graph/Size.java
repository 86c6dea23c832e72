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

  /** {@code height·width}. */
  public int area() {
    return height * width;
  }

  @Override
  public String toString() {
    return height + "x" + width;
  }
}
