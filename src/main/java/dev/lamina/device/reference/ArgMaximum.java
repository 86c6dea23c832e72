package dev.lamina.device.reference;

/**
 * The position of the largest element of each row: the first of equals, the first NaN if there is one.
 *
 * @param length elements of a row
 */
record ArgMaximum(int rows, int length) implements Computation {

  @Override
  public void run(double[][] in, double[][] out) {
    for (int row = 0; row < rows; row++) {
      int best = 0;
      for (int j = 1; j < length; j++) {
        double value = in[0][row * length + j];
        double largest = in[0][row * length + best];
        if (value > largest || (Double.isNaN(value) && !Double.isNaN(largest))) {
          best = j;
        }
      }
      out[0][row] = best;
    }
  }
}
