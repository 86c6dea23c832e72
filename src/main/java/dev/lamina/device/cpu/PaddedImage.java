package dev.lamina.device.cpu;

/**
 * One image in a frame of zeros, [height][width][channels], so that a convolution's loops know no borders.
 *
 * @param height rows with the frame
 * @param width columns with the frame
 * @param channels of a pixel
 * @param top row at which the image's first row lies; negative if rows are cut off
 * @param left column at which the image's first column lies; negative if columns are cut off
 * @param rowStep rows from one row of the image to the next: above 1 spreads the image, as the gradient of a strided
 *     convolution needs it
 * @param columnStep the same for columns
 */
record PaddedImage(int height, int width, int channels, int top, int left, int rowStep, int columnStep) {

  long bytes() {
    return Memory.aligned(4L * height * width * channels);
  }

  /** Bytes from one row to the next. */
  long row() {
    return 4L * width * channels;
  }

  /** Bytes from one pixel to the next. */
  long pixel() {
    return 4L * channels;
  }

  /** Puts an image of {@code imageHeight} by {@code imageWidth} pixels at {@code from} into its frame at {@code to}. */
  void fill(long from, int imageHeight, int imageWidth, long to) {
    Memory.clear(to, 4L * height * width * channels);
    for (int y = 0; y < imageHeight; y++) {
      int row = top + y * rowStep;
      if (row < 0 || row >= height) {
        continue;
      }
      if (columnStep == 1) {
        int first = Math.max(0, -left);
        int last = Math.min(imageWidth, width - left);
        if (first < last) {
          Memory.copy(
              from + (long) (y * imageWidth + first) * pixel(),
              to + row * row() + (left + first) * pixel(),
              (last - first) * pixel());
        }
      } else {
        for (int x = 0; x < imageWidth; x++) {
          int column = left + x * columnStep;
          if (column >= 0 && column < width) {
            Memory.copy(from + (long) (y * imageWidth + x) * pixel(), to + row * row() + column * pixel(), pixel());
          }
        }
      }
    }
  }
}
