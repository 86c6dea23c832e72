package dev.lamina.device.cpu;

import dev.lamina.graph.Padding;
import dev.lamina.graph.PoolSpec;
import dev.lamina.graph.Size;
import dev.lamina.tensor.Shape;

/**
 * The extents of pooling [n][height][width][channels] to [n][outHeight][outWidth][channels], and which window covers
 * what.
 */
final class PoolShape {
  private final int images;
  private final int height;
  private final int width;
  private final int channels;
  private final PoolSpec spec;
  private final int outHeight;
  private final int outWidth;
  private final Cover rows;
  private final Cover columns;

  /**
   * For each row (or column) of the image the first and the last window that reach it: divisions that would cost more
   * than the sums.
   */
  private record Cover(int[] first, int[] last) {

    static Cover of(int extent, int windows, int window, int stride, int before) {
      int[] first = new int[extent];
      int[] last = new int[extent];
      for (int i = 0; i < extent; i++) {
        first[i] = Math.max(0, Math.ceilDiv(i + before - window + 1, stride));
        last[i] = Math.min(windows - 1, (i + before) / stride);
      }
      return new Cover(first, last);
    }
  }

  PoolShape(Shape image, PoolSpec spec) {
    this.spec = spec;
    images = image.dim(0);
    height = image.dim(1);
    width = image.dim(2);
    channels = image.dim(3);
    outHeight = spec.outputHeight(height);
    outWidth = spec.outputWidth(width);
    Size window = spec.window();
    rows = Cover.of(height, outHeight, window.height(), spec.stride().height(), spec.padding().top());
    columns = Cover.of(width, outWidth, window.width(), spec.stride().width(), spec.padding().left());
  }

  int images() {
    return images;
  }

  int height() {
    return height;
  }

  int width() {
    return width;
  }

  int channels() {
    return channels;
  }

  int outHeight() {
    return outHeight;
  }

  int outWidth() {
    return outWidth;
  }

  /** Whether windows lie side by side, without overlap, gaps or padding: each pixel belongs to one of them at most. */
  boolean tiled() {
    return spec.window().equals(spec.stride()) && spec.padding().equals(Padding.NONE);
  }

  int windowHeight() {
    return spec.window().height();
  }

  int windowWidth() {
    return spec.window().width();
  }

  int area() {
    return spec.window().area();
  }

  /** Row of the image under the first row of window row {@code y}; negative in the padding. */
  int top(int y) {
    return y * spec.stride().height() - spec.padding().top();
  }

  /** Column of the image under the first column of window column {@code x}; negative in the padding. */
  int left(int x) {
    return x * spec.stride().width() - spec.padding().left();
  }

  /** The first window row that covers row {@code y} of the image. */
  int firstRow(int y) {
    return rows.first[y];
  }

  /** The last window row that covers row {@code y} of the image; before the first if there is none. */
  int lastRow(int y) {
    return rows.last[y];
  }

  /** The first window column that covers column {@code x} of the image. */
  int firstColumn(int x) {
    return columns.first[x];
  }

  /** The last window column that covers column {@code x} of the image; before the first if there is none. */
  int lastColumn(int x) {
    return columns.last[x];
  }

  /** Elements of an image. */
  long imageSize() {
    return (long) height * width * channels;
  }

  /** Elements of a pooled image. */
  long pooledSize() {
    return (long) outHeight * outWidth * channels;
  }
}
