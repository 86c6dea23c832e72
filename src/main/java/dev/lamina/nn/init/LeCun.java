package dev.lamina.nn.init;

import dev.lamina.tensor.HostTensor;
import java.util.random.RandomGenerator;

/**
 * Standard deviation {@code 1/√fan-in}: a unit's sum has the variance of its inputs (LeCun et al., "Efficient
 * BackProp", 1998, equation 16). For SELU, and for activations that are near the identity around 0. The course CS231n
 * calls this one Xavier ({@code randn(n) / sqrt(n)}); {@link Xavier} proper looks at the fan-out as well, and is the
 * same where a layer has as many outputs as inputs.
 *
 * @param distribution normal or uniform
 */
public record LeCun(Distribution distribution) implements Initializer {

  /** Normal. */
  public LeCun() {
    this(Distribution.NORMAL);
  }

  @Override
  public void fill(HostTensor target, RandomGenerator random) {
    distribution.fill(target, StrictMath.sqrt(1 / Fan.IN.of(target.shape())), random);
  }
}
