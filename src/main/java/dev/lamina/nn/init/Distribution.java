package dev.lamina.nn.init;

import dev.lamina.tensor.HostTensor;
import java.util.random.RandomGenerator;

/**
 * The shape of the distribution that a scaled initializer draws from; each has mean 0 and the standard deviation that
 * is asked for.
 */
public enum Distribution {
  /** Normal. */
  NORMAL,
  /** Uniform on ±√3 deviations. */
  UNIFORM,
  /**
   * Normal, cut at two deviations of the uncut curve and widened by 1/0.8796 so that the standard deviation is the one
   * asked for: what Keras's {@code VarianceScaling} does.
   */
  TRUNCATED_NORMAL;

  /** The standard deviation of a standard normal distribution cut at ±2: √(1 − 2·2·φ(2) / (2Φ(2) − 1)). */
  static final double CUT_DEVIATION = 0.8796256610342398;

  void fill(HostTensor target, double deviation, RandomGenerator random) {
    switch (this) {
      case NORMAL -> Draws.fillNormal(target, deviation, random);
      case UNIFORM -> Draws.fillUniform(target, StrictMath.sqrt(3) * deviation, random);
      case TRUNCATED_NORMAL -> Draws.fillTruncatedNormal(target, deviation / CUT_DEVIATION, random);
    }
  }
}
