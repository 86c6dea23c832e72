package dev.lamina.data;

import dev.lamina.io.BadInputException;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import java.util.Arrays;
import java.util.stream.IntStream;

/** The covariance of the features of a data set, of the population, in double. */
final class Covariance {
  /** Beyond, finding eigenvectors takes more than some minutes: its work grows with the cube. */
  static final int MOST_FEATURES = 4096;

  /** Examples at a time, a multiple of 4: 1.6 MB of 784 features, which stay in a second-level cache. */
  private static final int BLOCK = 256;

  private Covariance() {}

  /** The number of features of {@code example}, if a covariance of so many can be had. */
  static int features(Shape example, String what) {
    if (example.size() > MOST_FEATURES) {
      throw new BadInputException(
          what
              + " compares each feature with each other one, of at most "
              + MOST_FEATURES
              + "; inputs of "
              + example
              + " have "
              + example.size()
              + ": take mean or z_score, or smaller images");
    }
    return Math.toIntExact(example.size());
  }

  /**
   * [features][features], symmetric. Each entry is summed by one thread in the order of the examples: the bits do not
   * depend on how many threads there are.
   *
   * @param mean of each feature, with bytes in units of 255
   */
  static double[] of(Dataset data, double[] mean) {
    int features = mean.length;
    double factor = data.inputType().dtype() == DType.U8 ? 1 / 255.0 : 1;
    double[] sums = new double[features * features];
    double[] block = new double[BLOCK * features];
    for (int first = 0; first < data.size(); first += BLOCK) {
      int start = first;
      int rows = Math.min(BLOCK, data.size() - first);
      Arrays.fill(block, rows * features, block.length, 0);
      for (int row = 0; row < rows; row++) {
        HostTensor example = data.input(start + row);
        for (int i = 0; i < features; i++) {
          block[row * features + i] = example.get(i) * factor - mean[i];
        }
      }
      IntStream.range(0, features).parallel().forEach(i -> addRow(sums, block, i, features, rows));
    }
    for (int i = 0; i < features; i++) {
      for (int j = i; j < features; j++) {
        double value = sums[i * features + j] / data.size();
        sums[i * features + j] = value;
        sums[j * features + i] = value;
      }
    }
    return sums;
  }

  /** Row {@code i} from its diagonal on: four examples for each time that a sum is loaded and stored. */
  private static void addRow(double[] sums, double[] block, int i, int features, int rows) {
    int at = i * features;
    for (int row = 0; row < rows; row += 4) {
      int x0 = row * features;
      int x1 = x0 + features;
      int x2 = x1 + features;
      int x3 = x2 + features;
      double a0 = block[x0 + i];
      double a1 = block[x1 + i];
      double a2 = block[x2 + i];
      double a3 = block[x3 + i];
      for (int j = i; j < features; j++) {
        sums[at + j] += a0 * block[x0 + j] + a1 * block[x1 + j] + a2 * block[x2 + j] + a3 * block[x3 + j];
      }
    }
  }
}
