package dev.lamina.nn.init;

import dev.lamina.tensor.HostTensor;
import java.util.random.RandomGenerator;

/**
 * Normal with mean 0: the "small random numbers" of early networks with {@code std} 0.01, which starve deep ones.
 *
 * @param std the standard deviation
 */
public record Normal(double std) implements Initializer {
  public Normal {
    if (!(std >= 0 && std < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("init normal: expected a finite std of 0 or more, got " + std);
    }
  }

  @Override
  public void fill(HostTensor target, RandomGenerator random) {
    Draws.fillNormal(target, std, random);
  }
}
