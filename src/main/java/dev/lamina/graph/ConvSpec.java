package dev.lamina.graph;

/**
 * The geometry of a convolution (as everywhere in the field, a cross-correlation). Output pixel (y, x) of group g sums
 * input pixels {@code (y·stride.height − padding.top + i·dilation.height, x·stride.width − padding.left +
 * j·dilation.width)} times filter tap (i, j).
 *
 * @param stride step between windows
 * @param padding zeros around the input; top and bottom, left and right may differ
 * @param dilation step between taps of one window; 1 is dense
 * @param groups channels are cut into this many groups that do not see each other; as many groups as channels is a
 *     depthwise convolution
 */
public record ConvSpec(Size stride, Padding padding, Size dilation, int groups) {
  /**
   * Checks what no image is needed for.
   *
   * @throws IllegalArgumentException if a stride, a dilation or the number of groups is below 1
   */
  public ConvSpec {
    stride.requirePositive("stride");
    dilation.requirePositive("dilation");
    if (groups < 1) {
      throw new IllegalArgumentException("groups: expected 1 or more, got " + groups);
    }
  }

  /** Stride 1, no padding, dense, one group. */
  public static final ConvSpec PLAIN = new ConvSpec(Size.square(1), Padding.NONE, Size.square(1), 1);

  /** Rows of output for {@code input} rows and a filter of {@code kernel} rows. */
  public int outputHeight(int input, int kernel) {
    return extent(input + padding.top() + padding.bottom(), kernel, stride.height(), dilation.height());
  }

  /** Columns of output for {@code input} columns and a filter of {@code kernel} columns. */
  public int outputWidth(int input, int kernel) {
    return extent(input + padding.left() + padding.right(), kernel, stride.width(), dilation.width());
  }

  static int extent(int padded, int kernel, int stride, int dilation) {
    return Math.floorDiv(padded - dilation * (kernel - 1) - 1, stride) + 1;
  }
}
