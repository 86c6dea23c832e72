package dev.lamina.device.reference;

import java.util.Arrays;

/**
 * How many of the elements lie in each of equal parts of a range.
 *
 * @param elements to look at
 */
record Histogram(int bins, int elements) implements Computation {

  @Override
  public void run(double[][] in, double[][] out) {
    double low = in[1][0];
    double high = in[2][0];
    double scale = high > low ? bins / (high - low) : 0;
    Arrays.fill(out[0], 0, bins, 0);
    for (int i = 0; i < elements; i++) {
      double x = in[0][i];
      if (x >= low && x <= high) {
        out[0][(int) Math.min((x - low) * scale, bins - 1)]++;
      }
    }
  }
}
