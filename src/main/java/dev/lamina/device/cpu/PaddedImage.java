package dev.lamina.device.cpu;

import dev.lamina.graph.Size;
import dev.lamina.tensor.Shape;

/**
 * Some rows of an image in a frame of zeros, [height][width][channels], so that a convolution's loops know no borders.
 *
 * @param height rows, of image or frame, that lie in memory together
 * @param width columns with the frame
 * @param channels of a pixel
 * @param top row of the frame at which the image's first row lies; negative if rows are cut off
 * @param left column at which the image's first column lies; negative if columns are cut off
 */
record PaddedImage(int height, int width, int channels, int top, int left) {

  /** A vector may read beyond the last channel. */
  long bytes() {
    return Memory.aligned(4L * height * width * channels) + Memory.ALIGNMENT;
  }

  /** Bytes from one row to the next. */
  long row() {
    return 4L * width * channels;
  }

  /** Bytes from one pixel to the next. */
  long pixel() {
    return 4L * channels;
  }

  /** As many rows of the same frame as {@code rows}. */
  PaddedImage withHeight(int rows) {
    return new PaddedImage(rows, width, channels, top, left);
  }

  /** The float with which a pixel begins. */
  int at(int row, int column) {
    return Math.toIntExact(((long) row * width + column) * channels);
  }

  /** Where the windows of {@code rows} rows of {@code columns} pixels begin, {@code stride} apart, in floats. */
  int[] windows(int rows, int columns, Size stride) {
    int[] offsets = new int[rows * columns];
    for (int y = 0; y < rows; y++) {
      for (int x = 0; x < columns; x++) {
        offsets[y * columns + x] = at(y * stride.height(), x * stride.width());
      }
    }
    return offsets;
  }

  /** Where in a window the first {@code depth} channels of each tap of a filter [out,kh,kw,in] lie, in floats. */
  int[] taps(Shape filter, Size dilation, int depth) {
    int[] offsets = new int[filter.dim(1) * filter.dim(2) * depth];
    for (int i = 0; i < offsets.length; i++) {
      int tap = i / depth;
      int row = tap / filter.dim(2) * dilation.height();
      int column = tap % filter.dim(2) * dilation.width();
      offsets[i] = at(row, column) + i % depth;
    }
    return offsets;
  }

  /**
   * Puts rows of an image of {@code imageHeight} by {@code imageWidth} pixels at {@code from} into memory at {@code
   * to}.
   *
   * @param firstRow the row of the whole frame that comes first
   */
  void fill(long from, int imageHeight, int imageWidth, int firstRow, long to) {
    int firstColumn = Math.max(0, -left);
    int columns = Math.max(0, Math.min(imageWidth, width - left) - firstColumn);
    long before = Math.min(width, left + firstColumn) * pixel();
    long inside = columns * pixel();
    for (int f = 0; f < height; f++) {
      int row = firstRow + f - top;
      long target = to + f * row();
      if (row < 0 || row >= imageHeight) {
        Memory.clear(target, row());
        continue;
      }
      Memory.clear(target, before);
      Memory.copy(from + ((long) row * imageWidth + firstColumn) * pixel(), target + before, inside);
      Memory.clear(target + before + inside, row() - before - inside);
    }
  }
}
