package dev.lamina.data;

import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;

/** Numbers of a fitted preprocessing: a mean for each channel, or a matrix. Never changed. */
public final class Coefficients {
  private final Shape shape;
  private final double[] values; // row-major

  /**
   * Owns {@code values} from now on.
   *
   * @throws IllegalArgumentException if their number is not the shape's size, or one is not finite
   */
  Coefficients(Shape shape, double[] values) {
    if (values.length != shape.size()) {
      throw new IllegalArgumentException(shape + " has " + shape.size() + " numbers, got " + values.length);
    }
    for (double value : values) {
      if (!Double.isFinite(value)) {
        throw new IllegalArgumentException("the numbers of a preprocessing are finite, got " + value);
      }
    }
    this.shape = shape;
    this.values = values;
  }

  static Coefficients of(HostTensor tensor) {
    return new Coefficients(tensor.shape(), tensor.toDoubles());
  }

  /** The extents. */
  public Shape shape() {
    return shape;
  }

  /** Number {@code index} in row-major order. */
  public double get(int index) {
    return values[index];
  }

  /** Writes all of them to {@code target}, rounded to its element type; it has as many elements. */
  public void copyTo(HostTensor target) {
    for (int i = 0; i < values.length; i++) {
      target.set(i, values[i]);
    }
  }
}
