package dev.lamina.nn.init;

import dev.lamina.tensor.HostTensor;
import java.util.random.RandomGenerator;

/**
 * Standard deviation {@code gain·√(2 / (fan-in + fan-out))}: for sigmoid and tanh (Glorot and Bengio 2010, equation 16;
 * PyTorch's {@code xavier_normal_} and {@code xavier_uniform_}). Also called Glorot. What the course CS231n calls
 * Xavier, 1/√fan-in, is {@link LeCun}.
 *
 * @param distribution normal or uniform
 * @param gain 1; 5/3 for tanh in PyTorch ({@link Nonlinearity#gain})
 */
public record Xavier(Distribution distribution, double gain) implements Initializer {
  public Xavier {
    if (!(gain > 0 && gain < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("init xavier: expected a gain above 0, got " + gain);
    }
  }

  /** Uniform with gain 1, as in the paper. */
  public Xavier() {
    this(Distribution.UNIFORM, 1);
  }

  /** Gain 1. */
  public Xavier(Distribution distribution) {
    this(distribution, 1);
  }

  @Override
  public void fill(HostTensor target, RandomGenerator random) {
    distribution.fill(target, gain * StrictMath.sqrt(1 / Fan.AVERAGE.of(target.shape())), random);
  }
}
