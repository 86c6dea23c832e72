package dev.lamina.data;

import dev.lamina.io.BadInputException;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.util.Arrays;

/**
 * Mean, deviation and range of the values of a data set, group by group: value i of an example belongs to group {@code
 * i mod groups}, which makes channels of the last dimension's length and features of the whole length.
 *
 * @param mean of each group; that of a group whose values are all the same is this value
 * @param std of the population; 0 for a group whose values are all the same, and only there
 * @param least of each group
 * @param largest of each group
 */
record Moments(double[] mean, double[] std, double[] least, double[] largest) {

  /** In units of 255 where they are bytes. */
  static Moments of(Dataset data, int groups) {
    return data.inputType().dtype() == DType.U8 ? ofBytes(data, groups) : ofFloats(data, groups);
  }

  private static Moments zeros(int groups) {
    Moments moments = new Moments(new double[groups], new double[groups], new double[groups], new double[groups]);
    Arrays.fill(moments.least, Double.POSITIVE_INFINITY);
    Arrays.fill(moments.largest, Double.NEGATIVE_INFINITY);
    return moments;
  }

  /** Exact sums of bytes and of their squares: whole numbers, far below 2⁶³ for any memory there is. */
  private static final class ByteSums {
    private final long[] sum;
    private final long[] squares;
    private final int[] least;
    private final int[] largest;

    ByteSums(int groups) {
      sum = new long[groups];
      squares = new long[groups];
      least = new int[groups];
      Arrays.fill(least, 255);
      largest = new int[groups];
    }

    void add(byte[] example, int group) {
      long s = 0;
      long q = 0;
      int low = least[group];
      int high = largest[group];
      for (int i = group; i < example.length; i += sum.length) {
        int x = example[i] & 0xff;
        s += x;
        q += (long) x * x;
        low = Math.min(low, x);
        high = Math.max(high, x);
      }
      sum[group] += s;
      squares[group] += q;
      least[group] = low;
      largest[group] = high;
    }
  }

  private static Moments ofBytes(Dataset data, int groups) {
    int bytes = Math.toIntExact(data.inputType().bytes());
    byte[] example = new byte[bytes];
    ByteSums sums = new ByteSums(groups);
    for (int i = 0; i < data.size(); i++) {
      MemorySegment.copy(data.input(i).segment(), ValueLayout.JAVA_BYTE, 0, example, 0, bytes);
      for (int group = 0; group < groups; group++) {
        sums.add(example, group);
      }
    }
    Moments moments = zeros(groups);
    BigInteger count = BigInteger.valueOf((long) data.size() * (bytes / groups));
    for (int group = 0; group < groups; group++) {
      BigInteger total = BigInteger.valueOf(sums.sum[group]);
      // n² times the variance, without rounding: n·Σx² − (Σx)²
      double spread =
          count.multiply(BigInteger.valueOf(sums.squares[group])).subtract(total.multiply(total)).doubleValue();
      moments.mean[group] = sums.sum[group] / (count.doubleValue() * 255);
      moments.std[group] = Math.sqrt(spread) / (count.doubleValue() * 255);
      moments.least[group] = sums.least[group] / 255.0;
      moments.largest[group] = sums.largest[group] / 255.0;
    }
    return moments;
  }

  /** Two passes, so that a large mean does not eat the variance. */
  private static Moments ofFloats(Dataset data, int groups) {
    Moments moments = zeros(groups);
    double count = (double) data.size() * (data.inputType().shape().size() / groups);
    for (int i = 0; i < data.size(); i++) {
      HostTensor example = data.input(i);
      for (int j = 0; j < example.size(); j++) {
        double x = example.get(j);
        if (!Double.isFinite(x)) {
          throw new BadInputException(
              data.name() + ": value " + j + " of example " + i + " is " + x + "; remove the example or repair it");
        }
        int group = j % groups;
        moments.mean[group] += x / count;
        moments.least[group] = Math.min(moments.least[group], x);
        moments.largest[group] = Math.max(moments.largest[group], x);
      }
    }
    for (int i = 0; i < data.size(); i++) {
      HostTensor example = data.input(i);
      for (int j = 0; j < example.size(); j++) {
        double deviation = example.get(j) - moments.mean[j % groups];
        moments.std[j % groups] += deviation * deviation / count;
      }
    }
    for (int group = 0; group < groups; group++) {
      // Rounded, the mean of equal values need not be that value, nor their variance 0.
      boolean isConstant = moments.least[group] == moments.largest[group];
      moments.mean[group] = isConstant ? moments.least[group] : moments.mean[group];
      moments.std[group] = isConstant ? 0 : Math.sqrt(moments.std[group]);
    }
    return moments;
  }
}
