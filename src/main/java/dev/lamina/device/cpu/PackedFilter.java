package dev.lamina.device.cpu;

import dev.lamina.tensor.Shape;

/** When a convolution keeps its filter as it packed it, instead of packing it in each run. */
final class PackedFilter {
  /**
   * Of the result. To pack a filter, and for Winograd's algorithm to transform it, takes as long as a few hundred
   * pixels: with more than this it is a few hundredths of the time, for memory of up to four times the filter.
   */
  private static final long MOST_PIXELS = 8192;

  private PackedFilter() {}

  /** Whether that pays where the result is of shape {@code result} [n,h,w,c]. */
  static boolean isWorthKeeping(Shape result) {
    return result.size() / result.dim(3) <= MOST_PIXELS;
  }
}
