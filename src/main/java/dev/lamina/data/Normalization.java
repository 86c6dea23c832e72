package dev.lamina.data;

import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * How inputs are centred and scaled, channel by channel: {@code (x − mean) / std}, where bytes are first divided by
 * 255. Fitted on the training part alone, stored with the model, and applied inside the compiled program.
 *
 * @param mean of each channel (the last dimension of an input)
 * @param std standard deviation of each channel, positive
 */
public record Normalization(List<Double> mean, List<Double> std) {

  /**
   * Checks and copies the lists.
   *
   * @throws IllegalArgumentException if they differ in length, or hold anything that is not finite, or a std of 0 or
   *     less
   */
  public Normalization {
    mean = List.copyOf(mean);
    std = List.copyOf(std);
    if (mean.size() != std.size() || mean.isEmpty()) {
      throw new IllegalArgumentException(
          "a normalization needs one mean and one std for each channel, got " + mean.size() + " and " + std.size());
    }
    if (!mean.stream().allMatch(Double::isFinite) || !std.stream().allMatch(s -> Double.isFinite(s) && s > 0)) {
      throw new IllegalArgumentException("means must be finite and stds positive, got " + mean + " and " + std);
    }
  }

  /** The one that leaves floats as they are and brings bytes to [0, 1]. */
  public static Normalization identity(int channels) {
    return new Normalization(Collections.nCopies(channels, 0.0), Collections.nCopies(channels, 1.0));
  }

  /** The number of channels. */
  public int channels() {
    return mean.size();
  }

  /**
   * Mean and standard deviation (of the population) of each channel over all examples and places. A channel that never
   * changes gets std 1: there is nothing to scale.
   *
   * @throws IllegalArgumentException if there are no examples, or a value is not finite
   */
  public static Normalization fit(Dataset data) {
    if (data.size() == 0 || data.inputType().shape().size() == 0) {
      throw new IllegalArgumentException(data.name() + ": a normalization cannot be fitted without examples");
    }
    return data.inputType().dtype() == DType.U8 ? fitBytes(data) : fitFloats(data);
  }

  /** Exact: the sums of bytes and of their squares are whole numbers, far below 2⁶³ for any memory there is. */
  private static Normalization fitBytes(Dataset data) {
    int channels = data.inputType().shape().last();
    int bytes = Math.toIntExact(data.inputType().bytes());
    byte[] example = new byte[bytes];
    long[] sum = new long[channels];
    long[] squares = new long[channels];
    for (int i = 0; i < data.size(); i++) {
      MemorySegment.copy(data.input(i).segment(), ValueLayout.JAVA_BYTE, 0, example, 0, bytes);
      for (int channel = 0; channel < channels; channel++) {
        addBytes(example, channel, channels, sum, squares);
      }
    }
    BigInteger count = BigInteger.valueOf((long) data.size() * (bytes / channels));
    List<Double> mean = new ArrayList<>();
    List<Double> std = new ArrayList<>();
    for (int channel = 0; channel < channels; channel++) {
      BigInteger total = BigInteger.valueOf(sum[channel]);
      // n² times the variance, without rounding: n·Σx² − (Σx)²
      double spread =
          count.multiply(BigInteger.valueOf(squares[channel])).subtract(total.multiply(total)).doubleValue();
      mean.add(sum[channel] / (count.doubleValue() * 255));
      std.add(spread == 0 ? 1.0 : Math.sqrt(spread) / (count.doubleValue() * 255));
    }
    return new Normalization(mean, std);
  }

  private static void addBytes(byte[] example, int channel, int channels, long[] sum, long[] squares) {
    long s = 0;
    long q = 0;
    for (int i = channel; i < example.length; i += channels) {
      long x = example[i] & 0xff;
      s += x;
      q += x * x;
    }
    sum[channel] += s;
    squares[channel] += q;
  }

  /** Two passes, so that a large mean does not eat the variance. */
  private static Normalization fitFloats(Dataset data) {
    int channels = data.inputType().shape().last();
    double[] mean = new double[channels];
    double[] variance = new double[channels];
    long places = data.inputType().shape().size() / channels;
    double count = (double) data.size() * places;
    for (int i = 0; i < data.size(); i++) {
      HostTensor example = data.input(i);
      for (int j = 0; j < example.size(); j++) {
        double x = example.get(j);
        if (!Double.isFinite(x)) {
          throw new IllegalArgumentException(
              data.name() + ": value " + j + " of example " + i + " is " + x + "; remove the example or repair it");
        }
        mean[j % channels] += x / count;
      }
    }
    for (int i = 0; i < data.size(); i++) {
      HostTensor example = data.input(i);
      for (int j = 0; j < example.size(); j++) {
        double deviation = example.get(j) - mean[j % channels];
        variance[j % channels] += deviation * deviation / count;
      }
    }
    List<Double> means = new ArrayList<>();
    List<Double> stds = new ArrayList<>();
    for (int channel = 0; channel < channels; channel++) {
      means.add(mean[channel]);
      stds.add(isConstant(data, channel) ? 1.0 : Math.sqrt(variance[channel]));
    }
    return new Normalization(means, stds);
  }

  /** Asked of the values: the rounded mean of equal values need not be that value, nor their computed variance 0. */
  private static boolean isConstant(Dataset data, int channel) {
    int channels = data.inputType().shape().last();
    double first = data.input(0).get(channel);
    for (int i = 0; i < data.size(); i++) {
      HostTensor example = data.input(i);
      for (int j = channel; j < example.size(); j += channels) {
        if (example.get(j) != first) {
          return false;
        }
      }
    }
    return true;
  }
}
