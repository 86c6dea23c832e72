package dev.lamina.device.cpu;

/** Sums down the columns of a block [rows][width] of floats; each target has one float a column. */
interface ChannelSums {

  /**
   * A mean and what is around it. The mean is rounded; with the sum of the deviations from it both moments can be
   * corrected (Chan, Golub and LeVeque 1983, the corrected two-pass algorithm), so they are accurate even where the
   * mean is many times the deviation.
   *
   * @param means about {@code Σx / rows}
   * @param deviations {@code Σ(x − mean)}
   * @param squares {@code Σ(x − mean)²}
   */
  void moments(long x, int rows, int width, long means, long deviations, long squares);

  /**
   * What the gradient of a normalisation needs, added to what is there: a block may come in pieces.
   *
   * @param mean one a column
   * @param sums {@code + Σdy}
   * @param products {@code + Σdy·(x − mean)}
   */
  void gradients(long x, long dy, int rows, int width, long mean, long sums, long products);

  /** The best for {@code vectorBits}; 0 is scalar code. */
  static ChannelSums of(int vectorBits) {
    return vectorBits == 0 ? new Scalar() : new VectorChannelSums();
  }

  /** One element at a time. */
  final class Scalar implements ChannelSums {
    @Override
    public void moments(long x, int rows, int width, long means, long deviations, long squares) {
      moments(x, rows, width, 0, means, deviations, squares);
    }

    /** Columns {@code from} to the last. */
    static void moments(long x, int rows, int width, int from, long means, long deviations, long squares) {
      for (int c = from; c < width; c++) {
        float sum = 0;
        for (int r = 0; r < rows; r++) {
          sum += Memory.get(x + 4L * ((long) r * width + c));
        }
        float mean = sum / rows;
        float deviation = 0;
        float square = 0;
        for (int r = 0; r < rows; r++) {
          float d = Memory.get(x + 4L * ((long) r * width + c)) - mean;
          deviation += d;
          square = Math.fma(d, d, square);
        }
        Memory.set(means + 4L * c, mean);
        Memory.set(deviations + 4L * c, deviation);
        Memory.set(squares + 4L * c, square);
      }
    }

    @Override
    public void gradients(long x, long dy, int rows, int width, long mean, long sums, long products) {
      gradients(x, dy, rows, width, 0, mean, sums, products);
    }

    /** Columns {@code from} to the last. */
    static void gradients(long x, long dy, int rows, int width, int from, long mean, long sums, long products) {
      for (int c = from; c < width; c++) {
        float m = Memory.get(mean + 4L * c);
        float sum = Memory.get(sums + 4L * c);
        float product = Memory.get(products + 4L * c);
        for (int r = 0; r < rows; r++) {
          long at = 4L * ((long) r * width + c);
          float gradient = Memory.get(dy + at);
          sum += gradient;
          product = Math.fma(gradient, Memory.get(x + at) - m, product);
        }
        Memory.set(sums + 4L * c, sum);
        Memory.set(products + 4L * c, product);
      }
    }
  }
}
