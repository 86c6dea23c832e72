package dev.lamina.nn.init;

import dev.lamina.tensor.HostTensor;
import java.util.random.RandomGenerator;

/**
 * Normal with mean 0, where what lies beyond ±2 {@code std} is drawn again, so that the standard deviation that results
 * is 0.88·{@code std}. This is Keras's {@code TruncatedNormal}; PyTorch's {@code trunc_normal_} cuts at the absolute
 * values ±2 unless told otherwise, which with a small {@code std} cuts nothing.
 *
 * @param std the standard deviation before the cut
 */
public record TruncatedNormal(double std) implements Initializer {
  public TruncatedNormal {
    if (!(std >= 0 && std < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("init truncated normal: expected a finite std of 0 or more, got " + std);
    }
  }

  @Override
  public void fill(HostTensor target, RandomGenerator random) {
    Draws.fillTruncatedNormal(target, std, random);
  }
}
