package dev.lamina.nn.init;

import dev.lamina.tensor.HostTensor;
import java.util.random.RandomGenerator;

/**
 * Uniform on [−limit, limit).
 *
 * @param limit half the width
 */
public record Uniform(double limit) implements Initializer {
  public Uniform {
    if (!(limit >= 0 && limit < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("init uniform: expected a finite limit of 0 or more, got " + limit);
    }
  }

  @Override
  public void fill(HostTensor target, RandomGenerator random) {
    Draws.fillUniform(target, limit, random);
  }
}
