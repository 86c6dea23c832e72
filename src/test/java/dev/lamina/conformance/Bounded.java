package dev.lamina.conformance;

import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;

/**
 * A tensor in double, with an absolute error for each element.
 *
 * @param dtype what the device under test holds it in
 */
record Bounded(Shape shape, DType dtype, double[] values, double[] errors) {

  /** An input: the device has exactly these values. */
  static Bounded exact(HostTensor tensor) {
    return new Bounded(tensor.shape(), tensor.type().dtype(), tensor.toDoubles(), new double[(int) tensor.size()]);
  }

  TensorType type() {
    return new TensorType(shape, dtype);
  }

  boolean isExact() {
    for (double error : errors) {
      if (error != 0) {
        return false;
      }
    }
    return true;
  }

  /** Magnitudes; what is not finite counts as 0, so that a NaN costs only the sums it really enters. */
  double[] magnitudes() {
    double[] magnitudes = values.clone();
    for (int i = 0; i < magnitudes.length; i++) {
      magnitudes[i] = Double.isFinite(values[i]) ? Math.abs(values[i]) : 0;
    }
    return magnitudes;
  }

  /** The same tensor with other values. */
  Bounded with(double[] newValues) {
    return new Bounded(shape, dtype, newValues, errors);
  }

  /**
   * How far the device's stored element may be from the oracle's: either is rounded once more when it is stored, and of
   * two numbers beside a midpoint one can go up and one down, which is 2 units apart. Numbers become integers by
   * truncation: an error that reaches across an integer is one step.
   */
  double allowance(int index) {
    double value = values[index];
    double error = errors[index];
    if (error == 0) {
      return 0;
    }
    return switch (dtype) {
      case F64 -> error + 2 * 0x1p-53 * Math.abs(value);
      case F32 -> error + 2 * 0x1p-24 * Math.abs(value) + Float.MIN_VALUE;
      case BF16 -> error + 2 * 0x1p-8 * Math.abs(value) + Float.MIN_NORMAL;
      case F16 -> error + 2 * 0x1p-11 * Math.abs(value) + 0x1p-24;
      case I32, U8 -> Math.abs((int) (value + error) - (int) (value - error));
    };
  }
}
