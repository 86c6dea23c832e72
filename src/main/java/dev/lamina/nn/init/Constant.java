package dev.lamina.nn.init;

import dev.lamina.tensor.HostTensor;
import java.util.random.RandomGenerator;

/** The same value everywhere, such as the bias of 0.01 that some give ReLUs. */
public record Constant(double value) implements Initializer {
  public Constant {
    if (!Double.isFinite(value)) {
      throw new IllegalArgumentException("init constant: expected a finite value, got " + value);
    }
  }

  @Override
  public void fill(HostTensor target, RandomGenerator random) {
    target.fill(value);
  }
}
