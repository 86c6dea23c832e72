package dev.lamina.device.cpu;

import static dev.lamina.device.cpu.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

/**
 * Pooling, one row at a time. {@code image}, {@code pooled} and {@code winners} are the addresses of whole images. Up
 * to 64 bytes behind them may be read.
 */
interface PoolLoops {

  /** Row {@code y} of the pooled image: the largest of each window, and where in the window it is. */
  void max(PoolShape shape, long image, int y, long pooled, long winners);

  /** Row {@code y} of the image's gradient: the sum over the windows that chose a pixel. */
  void maxGradient(PoolShape shape, long pooled, long winners, int y, long image);

  /**
   * As {@link #maxGradient} for {@linkplain PoolShape#tiled windows side by side}: all rows of the image under row
   * {@code y} of the pooled one.
   */
  void tiledMaxGradient(PoolShape shape, long pooled, long winners, int y, long image);

  /** Row {@code y} of the pooled image: the average of each window. */
  void average(PoolShape shape, long image, int y, long pooled);

  /** Row {@code y} of the image's gradient: the sum over the windows that a pixel belongs to, divided by their area. */
  void averageGradient(PoolShape shape, long pooled, int y, long image);

  /**
   * The best for {@code vectorBits}: four lanes have no vector of four bytes for the winners, so they are scalar code
   * as well.
   */
  static PoolLoops of(int vectorBits) {
    return vectorBits < 256 ? new Scalar() : new VectorPoolLoops();
  }

  /** One channel at a time. */
  final class Scalar implements PoolLoops {

    @Override
    public void max(PoolShape shape, long image, int y, long pooled, long winners) {
      max(shape, image, y, pooled, winners, 0, 0);
    }

    /** Channels {@code from} to the last, from pixel {@code start} of the row on. */
    static void max(PoolShape shape, long image, int y, long pooled, long winners, int start, int from) {
      int channels = shape.channels();
      int firstRow = Math.max(0, shape.top(y));
      int lastRow = Math.min(shape.height(), shape.top(y) + shape.windowHeight());
      for (int x = start; x < shape.outWidth(); x++) {
        int firstColumn = Math.max(0, shape.left(x));
        int lastColumn = Math.min(shape.width(), shape.left(x) + shape.windowWidth());
        long out = ((long) y * shape.outWidth() + x) * channels;
        for (int c = from; c < channels; c++) {
          float best = Float.NEGATIVE_INFINITY;
          int winner = -1;
          for (int row = firstRow; row < lastRow; row++) {
            for (int column = firstColumn; column < lastColumn; column++) {
              float value = Memory.get(image + 4 * (((long) row * shape.width() + column) * channels + c));
              // Not "greater": a NaN is neither, and stays once it is there.
              if (winner < 0 || (!(value <= best) && !Float.isNaN(best))) {
                best = value;
                winner = (row - shape.top(y)) * shape.windowWidth() + column - shape.left(x);
              }
            }
          }
          Memory.set(pooled + 4 * (out + c), best);
          ALL.set(JAVA_BYTE, winners + out + c, (byte) winner);
        }
      }
    }

    @Override
    public void maxGradient(PoolShape shape, long pooled, long winners, int y, long image) {
      maxGradient(shape, pooled, winners, y, image, 0, 0);
    }

    /** Channels {@code from} to the last, from pixel {@code start} of the row on. */
    static void maxGradient(PoolShape shape, long pooled, long winners, int y, long image, int start, int from) {
      int channels = shape.channels();
      for (int x = start; x < shape.width(); x++) {
        for (int c = from; c < channels; c++) {
          float sum = 0;
          for (int row = shape.firstRow(y); row <= shape.lastRow(y); row++) {
            for (int column = shape.firstColumn(x); column <= shape.lastColumn(x); column++) {
              long at = ((long) row * shape.outWidth() + column) * channels + c;
              int position = (y - shape.top(row)) * shape.windowWidth() + x - shape.left(column);
              if ((ALL.get(JAVA_BYTE, winners + at) & 0xff) == position) {
                sum += Memory.get(pooled + 4 * at);
              }
            }
          }
          Memory.set(image + 4 * (((long) y * shape.width() + x) * channels + c), sum);
        }
      }
    }

    @Override
    public void tiledMaxGradient(PoolShape shape, long pooled, long winners, int y, long image) {
      tiledMaxGradient(shape, pooled, winners, y, image, 0, 0);
    }

    /** Channels {@code from} to the last, from pixel {@code start} of the row on. */
    static void tiledMaxGradient(PoolShape shape, long pooled, long winners, int y, long image, int start, int from) {
      int channels = shape.channels();
      for (int row = 0; row < shape.windowHeight(); row++) {
        for (int x = start; x < shape.outWidth(); x++) {
          long in = ((long) y * shape.outWidth() + x) * channels;
          long out = ((long) shape.top(y) + row) * shape.width() + shape.left(x);
          for (int column = 0; column < shape.windowWidth(); column++) {
            int position = row * shape.windowWidth() + column;
            for (int c = from; c < channels; c++) {
              boolean won = (ALL.get(JAVA_BYTE, winners + in + c) & 0xff) == position;
              Memory.set(image + 4 * ((out + column) * channels + c), won ? Memory.get(pooled + 4 * (in + c)) : 0);
            }
          }
        }
      }
    }

    @Override
    public void average(PoolShape shape, long image, int y, long pooled) {
      average(shape, image, y, pooled, 0, 0);
    }

    /** Channels {@code from} to the last, from pixel {@code start} of the row on. */
    static void average(PoolShape shape, long image, int y, long pooled, int start, int from) {
      int channels = shape.channels();
      int firstRow = Math.max(0, shape.top(y));
      int lastRow = Math.min(shape.height(), shape.top(y) + shape.windowHeight());
      for (int x = start; x < shape.outWidth(); x++) {
        int firstColumn = Math.max(0, shape.left(x));
        int lastColumn = Math.min(shape.width(), shape.left(x) + shape.windowWidth());
        for (int c = from; c < channels; c++) {
          float sum = 0;
          for (int row = firstRow; row < lastRow; row++) {
            for (int column = firstColumn; column < lastColumn; column++) {
              sum += Memory.get(image + 4 * (((long) row * shape.width() + column) * channels + c));
            }
          }
          Memory.set(pooled + 4 * (((long) y * shape.outWidth() + x) * channels + c), sum / shape.area());
        }
      }
    }

    @Override
    public void averageGradient(PoolShape shape, long pooled, int y, long image) {
      averageGradient(shape, pooled, y, image, 0, 0);
    }

    /** Channels {@code from} to the last, from pixel {@code start} of the row on. */
    static void averageGradient(PoolShape shape, long pooled, int y, long image, int start, int from) {
      int channels = shape.channels();
      for (int x = start; x < shape.width(); x++) {
        for (int c = from; c < channels; c++) {
          float sum = 0;
          for (int row = shape.firstRow(y); row <= shape.lastRow(y); row++) {
            for (int column = shape.firstColumn(x); column <= shape.lastColumn(x); column++) {
              sum += Memory.get(pooled + 4 * (((long) row * shape.outWidth() + column) * channels + c));
            }
          }
          Memory.set(image + 4 * (((long) y * shape.width() + x) * channels + c), sum / shape.area());
        }
      }
    }
  }
}
