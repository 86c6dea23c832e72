package dev.lamina.data;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;

/**
 * Eigenvectors of a covariance.
 *
 * @param variances the eigenvalues, descending; exactly 0 where there is nothing but rounding
 * @param vectors [component][feature], of length 1; the sign is such that the largest number in each is positive
 */
public record PrincipalComponents(double[] variances, double[][] vectors) {

  /** Those of {@code covariance}, [features][features], symmetric. */
  public static PrincipalComponents of(double[] covariance, int features) {
    EigenDecomposition_F64<DMatrixRMaj> eigen = DecompositionFactory_DDRM.eig(features, true, true);
    if (!eigen.decompose(new DMatrixRMaj(features, features, true, covariance.clone()))) {
      throw new ArithmeticException("the eigenvectors of the covariance could not be found");
    }
    double[] values = IntStream.range(0, features).mapToDouble(i -> eigen.getEigenvalue(i).getReal()).toArray();
    int[] order =
        IntStream.range(0, features)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> -values[i]))
            .mapToInt(Integer::intValue)
            .toArray();
    // The backward error of the decomposition: a few roundings of the largest value for each row.
    double nothing = 4 * features * Math.ulp(values[order[0]]);
    double[] variances = new double[features];
    double[][] vectors = new double[features][];
    for (int i = 0; i < features; i++) {
      double value = values[order[i]];
      variances[i] = value > nothing ? value : 0;
      vectors[i] = upright(Arrays.copyOf(eigen.getEigenVector(order[i]).data, features));
    }
    return new PrincipalComponents(variances, vectors);
  }

  private static double[] upright(double[] vector) {
    double largest = 0;
    for (double x : vector) {
      largest = Math.abs(x) > Math.abs(largest) ? x : largest;
    }
    for (int i = 0; largest < 0 && i < vector.length; i++) {
      vector[i] = -vector[i];
    }
    return vector;
  }

  /** The least number of components that together have {@code share} of the variance; all for a share of 1. */
  int holding(double share) {
    double total = Arrays.stream(variances).sum();
    double held = 0;
    int count = 0;
    while (count < variances.length && (count == 0 || share == 1 || held < share * total)) {
      held += variances[count++];
    }
    return count;
  }

  /** [count, features]: what {@link Preprocessing.Pca} multiplies by. */
  double[] projection(int count) {
    int features = variances.length;
    double[] matrix = new double[count * features];
    for (int i = 0; i < count; i++) {
      System.arraycopy(vectors[i], 0, matrix, i * features, features);
    }
    return matrix;
  }

  /** [features, features]: each component divided by {@code √(variance + epsilon)}. */
  double[] whitening(double epsilon) {
    int features = variances.length;
    double[] matrix = new double[features * features];
    for (int i = 0; i < features; i++) {
      double gain = gain(i, epsilon);
      for (int j = 0; j < features; j++) {
        matrix[i * features + j] = gain * vectors[i][j];
      }
    }
    return matrix;
  }

  /** The same, turned back into the axes of the input: {@code Σ gain · v vᵀ}, [features, features]. */
  double[] turnedBack(double epsilon) {
    int features = variances.length;
    double[] matrix = new double[features * features];
    IntStream.range(0, features)
        .parallel()
        .forEach(row -> {
          for (int i = 0; i < features; i++) {
            double weight = gain(i, epsilon) * vectors[i][row];
            for (int j = 0; j < features; j++) {
              matrix[row * features + j] += weight * vectors[i][j];
            }
          }
        });
    for (int i = 0; i < features; i++) {
      for (int j = 0; j < i; j++) {
        // Either rounding would do: one of them, so that the matrix is symmetric to the bit.
        matrix[i * features + j] = matrix[j * features + i];
      }
    }
    return matrix;
  }

  private double gain(int component, double epsilon) {
    return variances[component] == 0 ? 0 : 1 / Math.sqrt(variances[component] + epsilon);
  }
}
