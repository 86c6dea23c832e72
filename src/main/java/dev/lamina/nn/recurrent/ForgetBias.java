package dev.lamina.nn.recurrent;

import dev.lamina.nn.init.Initializer;
import dev.lamina.tensor.HostTensor;
import java.util.random.RandomGenerator;

/**
 * The bias of an LSTM's gates: {@code others} fills it, but the second quarter, the forget gate's, is {@code forget}.
 */
record ForgetBias(Initializer others, double forget) implements Initializer {
  @Override
  public void fill(HostTensor target, RandomGenerator random) {
    others.fill(target, random);
    long units = target.size() / 4;
    for (long i = units; i < 2 * units; i++) {
      target.set(i, forget);
    }
  }
}
