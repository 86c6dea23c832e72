package dev.lamina.nn.init;

import dev.lamina.tensor.HostTensor;
import java.util.random.RandomGenerator;

/**
 * Standard deviation {@code gain/√fan}: {@code √(2 / fan-in)} for ReLU, which halves the variance of what passes (He et
 * al. 2015, equations 10 and 15; PyTorch's {@code kaiming_normal_} and {@code kaiming_uniform_}). Also called Kaiming.
 * The default of dense and convolution layers.
 *
 * @param fan which connections are counted
 * @param distribution normal or uniform
 * @param nonlinearity the activation that follows, for its gain
 * @param slope of a leaky ReLU below 0
 */
public record He(Fan fan, Distribution distribution, Nonlinearity nonlinearity, double slope) implements Initializer {
  public He {
    if (!Double.isFinite(slope)) {
      throw new IllegalArgumentException("init he: expected a finite slope, got " + slope);
    }
  }

  /** Normal, fan-in, for ReLU. */
  public He() {
    this(Fan.IN, Distribution.NORMAL);
  }

  /** For ReLU. */
  public He(Fan fan, Distribution distribution) {
    this(fan, distribution, Nonlinearity.RELU, 0);
  }

  @Override
  public void fill(HostTensor target, RandomGenerator random) {
    distribution.fill(target, nonlinearity.gain(slope) / StrictMath.sqrt(fan.of(target.shape())), random);
  }
}
