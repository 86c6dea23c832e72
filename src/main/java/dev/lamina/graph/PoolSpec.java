package dev.lamina.graph;

/**
 * The geometry of pooling.
 *
 * @param window extents of a window, at most 256 positions
 * @param stride step between windows
 * @param padding positions around the input: never the maximum, and zero (but counted, as in PyTorch) in an average
 */
public record PoolSpec(Size window, Size stride, Padding padding) {
  /**
   * Checks what no image is needed for.
   *
   * @throws IllegalArgumentException if an extent of the window or a stride is below 1
   */
  public PoolSpec {
    window.requirePositive("window");
    stride.requirePositive("stride");
  }

  /** Windows side by side. */
  public static PoolSpec tiled(int extent) {
    return new PoolSpec(Size.square(extent), Size.square(extent), Padding.NONE);
  }

  /** Rows of output for {@code input} rows. */
  public int outputHeight(int input) {
    return ConvSpec.extent(input + padding.top() + padding.bottom(), window.height(), stride.height(), 1);
  }

  /** Columns of output for {@code input} columns. */
  public int outputWidth(int input) {
    return ConvSpec.extent(input + padding.left() + padding.right(), window.width(), stride.width(), 1);
  }
}
