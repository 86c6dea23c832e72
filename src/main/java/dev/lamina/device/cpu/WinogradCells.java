package dev.lamina.device.cpu;

import java.util.stream.IntStream;

/**
 * How a convolution with stride s becomes one without: s×s pixels of the source are one cell, with the channels of all
 * of them side by side, and a filter of k×k taps is one of ⌈k/s⌉×⌈k/s⌉ taps over cells. Where s does not divide k, the
 * filter begins with zeros. With stride 1 a cell is a pixel.
 *
 * <p>Nothing is multiplied with those zeros: a filter whose first tap is zero is a polynomial that vanishes at the
 * point 0, which is the first of a tile's values along a dimension. So a 3×3 filter with stride 2 takes 81
 * multiplications a channel for 4×4 pixels of the result, instead of 144.
 */
final class WinogradCells {
  private final int kernel;
  private final int stride;
  private final int channels;

  /** By whether a value's row and column are other than the first. */
  private final int[][] offsets = new int[4][];

  /**
   * Cells of some channels of an image.
   *
   * @param kernel taps of the filter along one dimension
   * @param channels of a pixel
   */
  WinogradCells(int kernel, int stride, int channels) {
    this.kernel = kernel;
    this.stride = stride;
    this.channels = channels;
    for (int i = 0; i < offsets.length; i++) {
      int row = i / 2;
      int column = i % 2;
      offsets[i] = IntStream.range(0, pixels() * channels).filter(c -> counts(c / channels, row, column)).toArray();
    }
  }

  /** Taps of the whole filter along one dimension. */
  int kernel() {
    return kernel;
  }

  /** Pixels of a cell along one dimension. */
  int stride() {
    return stride;
  }

  /** Channels of a pixel. */
  int channels() {
    return channels;
  }

  /** Taps of the filter over cells, along one dimension. */
  int taps() {
    return Math.ceilDiv(kernel, stride);
  }

  /** Zeros in front of the filter's taps along one dimension. */
  int zeros() {
    return stride * taps() - kernel;
  }

  /** Pixels of a cell, row-major. */
  int pixels() {
    return stride * stride;
  }

  /** Floats from one cell to the next in memory: whole vectors. */
  int width() {
    return Math.ceilDiv(pixels() * channels, Lanes.COUNT) * Lanes.COUNT;
  }

  /** Which tap of the whole filter, row-major, a pixel meets at tap (row, column) over cells; −1 for a zero. */
  int tap(int pixel, int row, int column) {
    int y = row * stride + pixel / stride - zeros();
    int x = column * stride + pixel % stride - zeros();
    return y < 0 || x < 0 ? -1 : y * kernel + x;
  }

  /** Whether a pixel's channels have a part in value (row, column) of a transformed tile. */
  boolean counts(int pixel, int row, int column) {
    return (row > 0 || pixel / stride >= zeros()) && (column > 0 || pixel % stride >= zeros());
  }

  /** How many channels have a part in a value. */
  int depth(int row, int column) {
    return offsets(row, column).length;
  }

  /** How many channels of pixels before {@code pixel} have. */
  int before(int pixel, int row, int column) {
    int before = 0;
    for (int i = 0; i < pixel; i++) {
      before += counts(i, row, column) ? channels : 0;
    }
    return before;
  }

  /** Where in a cell the channels lie that have a part in a value. */
  int[] offsets(int row, int column) {
    return offsets[2 * Math.min(row, 1) + Math.min(column, 1)];
  }
}
