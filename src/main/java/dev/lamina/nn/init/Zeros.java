package dev.lamina.nn.init;

import dev.lamina.tensor.HostTensor;
import java.util.random.RandomGenerator;

/** Zeros: the usual start of biases. Not for weights: units that start equal stay equal. */
public record Zeros() implements Initializer {
  @Override
  public void fill(HostTensor target, RandomGenerator random) {
    target.fill(0);
  }
}
