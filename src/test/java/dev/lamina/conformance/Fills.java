package dev.lamina.conformance;

import dev.lamina.conformance.OpCase.Fill;
import dev.lamina.conformance.OpCase.In;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;

/** Ways to fill inputs. */
final class Fills {
  /** Where functions overflow, saturate, cancel or are undefined. */
  private static final double[] HARD = {
    0,
    -0.0,
    Double.NaN,
    Double.POSITIVE_INFINITY,
    Double.NEGATIVE_INFINITY,
    1,
    -1,
    1e4,
    -1e4,
    1e-4,
    -1e-4,
    1e-20,
    -1e-20,
    0.5,
    -0.5,
    2,
    -2,
    17,
    -17,
    60,
    -60,
    88.5,
    -88.5,
    90,
    -90,
    104,
    -104,
    1e30,
    -1e30,
    Float.MIN_NORMAL,
    Float.MAX_VALUE,
    -0.9999,
    1.0001,
    0.9999,
    9.1,
    -9.1,
    4,
    -4
  };

  /** Bell-shaped around 0. */
  static final Fill NORMAL =
      (tensor, random) -> {
        for (int i = 0; i < tensor.size(); i++) {
          tensor.set(i, random.nextGaussian());
        }
      };

  /** Bell-shaped, five times as wide: reaches into saturation. */
  static final Fill WIDE =
      (tensor, random) -> {
        for (int i = 0; i < tensor.size(); i++) {
          tensor.set(i, 5 * random.nextGaussian());
        }
      };

  /** Between ¼ and 4. */
  static final Fill POSITIVE =
      (tensor, random) -> {
        for (int i = 0; i < tensor.size(); i++) {
          tensor.set(i, Math.exp(Math.log(4) * (2 * random.nextDouble() - 1)));
        }
      };

  /** Few different values, so many are equal. */
  static final Fill TIES =
      (tensor, random) -> {
        for (int i = 0; i < tensor.size(); i++) {
          tensor.set(i, random.nextInt(3) - 1);
        }
      };

  /** A mean a thousand times the deviation. */
  static final Fill FAR_FROM_ZERO =
      (tensor, random) -> {
        for (int i = 0; i < tensor.size(); i++) {
          tensor.set(i, 1000 + random.nextGaussian());
        }
      };

  /** The first tenth far from the rest: what is seen first says little of what comes. */
  static final Fill APART =
      (tensor, random) -> {
        for (int i = 0; i < tensor.size(); i++) {
          tensor.set(i, i < tensor.size() / 10 ? -500 : 1000 + random.nextGaussian());
        }
      };

  /** Bell-shaped with a NaN or an infinity here and there. */
  static final Fill BROKEN =
      (tensor, random) -> {
        for (int i = 0; i < tensor.size(); i++) {
          double special =
              random.nextBoolean()
                  ? Double.NaN
                  : random.nextBoolean() ? Double.POSITIVE_INFINITY : Double.NEGATIVE_INFINITY;
          tensor.set(i, random.nextInt(12) == 0 ? special : random.nextGaussian());
        }
      };

  /** The hard numbers in turn from a random one, so that two inputs meet in many pairs. */
  static final Fill HARD_NUMBERS =
      (tensor, random) -> {
        int start = random.nextInt(HARD.length);
        int stride = random.nextInt(2) * 2 + 1;
        for (int i = 0; i < tensor.size(); i++) {
          tensor.set(i, HARD[(start + i * stride) % HARD.length]);
        }
      };

  /** Large and small logits. */
  static final Fill LARGE =
      (tensor, random) -> {
        for (int i = 0; i < tensor.size(); i++) {
          tensor.set(i, 1e4 * (2 * random.nextDouble() - 1));
        }
      };

  /** All integers the type has room for, up to ±1000. */
  static final Fill INTEGERS =
      (tensor, random) -> {
        boolean bytes = tensor.type().dtype() == DType.U8;
        for (int i = 0; i < tensor.size(); i++) {
          tensor.set(i, bytes ? random.nextInt(256) : random.nextInt(2001) - 1000);
        }
      };

  /** Rows that sum to 1, with zeros among them. */
  static final Fill DISTRIBUTIONS =
      (tensor, random) -> {
        int classes = tensor.shape().last();
        for (int row = 0; row < tensor.size() / classes; row++) {
          double sum = 0;
          double[] weights = new double[classes];
          for (int j = 0; j < classes; j++) {
            weights[j] = j == 0 || random.nextInt(3) > 0 ? random.nextDouble() : 0;
            sum += weights[j];
          }
          for (int j = 0; j < classes; j++) {
            tensor.set((long) row * classes + j, weights[j] / sum);
          }
        }
      };

  private Fills() {}

  /** Numbers from 0 to {@code count − 1}. */
  static Fill labels(int count) {
    return (tensor, random) -> {
      for (int i = 0; i < tensor.size(); i++) {
        tensor.set(i, random.nextInt(count));
      }
    };
  }

  /** One number everywhere. */
  static Fill constant(double value) {
    return (tensor, _) -> tensor.fill(value);
  }

  /** Normally distributed floats. */
  static In f32(int... dims) {
    return in(DType.F32, NORMAL, dims);
  }

  static In in(DType dtype, Fill fill, int... dims) {
    return new In(TensorType.of(dtype, dims), fill);
  }

  static In in(Fill fill, Shape shape) {
    return new In(new TensorType(shape, DType.F32), fill);
  }
}
