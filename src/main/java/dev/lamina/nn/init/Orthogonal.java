package dev.lamina.nn.init;

import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.random.RandomGenerator;

/**
 * A random orthogonal matrix times {@code gain}: the weight, seen as [out, everything else], has orthonormal rows or
 * columns, whichever are fewer (Saxe et al. 2014; PyTorch's {@code orthogonal_}). Evenly distributed over all such
 * matrices: normal numbers are orthogonalised with a positive diagonal of R.
 *
 * @param gain the length of each row or column
 */
public record Orthogonal(double gain) implements Initializer {
  public Orthogonal {
    if (!(gain > 0 && gain < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("init orthogonal: expected a gain above 0, got " + gain);
    }
  }

  /** Gain 1. */
  public Orthogonal() {
    this(1);
  }

  @Override
  public void fill(HostTensor target, RandomGenerator random) {
    if (target.shape().rank() < 2) {
      throw new IllegalArgumentException("init orthogonal: expected at least [out, in], got " + target.shape());
    }
    int out = target.shape().dim(0);
    int in = Math.toIntExact(target.shape().sliceSize());
    int vectors = Math.min(out, in);
    int length = Math.max(out, in);
    double[][] basis = normal(vectors, length, random);
    for (int i = 0; i < vectors; i++) {
      // Gram and Schmidt, twice: once leaves an error that grows with the condition of the matrix, the second pass
      // removes it.
      for (int pass = 0; pass < 2; pass++) {
        for (int j = 0; j < i; j++) {
          addScaled(basis[i], basis[j], -dot(basis[i], basis[j]));
        }
      }
      double norm = StrictMath.sqrt(dot(basis[i], basis[i]));
      for (int k = 0; k < length; k++) {
        basis[i][k] /= norm;
      }
    }
    for (int row = 0; row < out; row++) {
      for (int column = 0; column < in; column++) {
        target.set((long) row * in + column, gain * (out <= in ? basis[row][column] : basis[column][row]));
      }
    }
  }

  private static double[][] normal(int vectors, int length, RandomGenerator random) {
    try (Arena scratch = Arena.ofConfined()) {
      HostTensor numbers = HostTensor.allocate(scratch, new TensorType(Shape.of(vectors, length), DType.F64));
      Draws.fillNormal(numbers, 1, random);
      double[][] matrix = new double[vectors][length];
      for (int i = 0; i < vectors; i++) {
        for (int k = 0; k < length; k++) {
          matrix[i][k] = numbers.get((long) i * length + k);
        }
      }
      return matrix;
    }
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  private static void addScaled(double[] to, double[] what, double factor) {
    for (int i = 0; i < to.length; i++) {
      to[i] += factor * what[i];
    }
  }
}
