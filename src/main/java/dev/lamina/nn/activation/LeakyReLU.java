package dev.lamina.nn.activation;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;

/**
 * {@code x > 0 ? x : slope·x} (Maas et al. 2013).
 *
 * @param slope below 0; 0.01 in PyTorch and in the paper, 0.1 in the course CS231n
 */
public record LeakyReLU(double slope) implements Activation {
  public LeakyReLU {
    if (!Double.isFinite(slope)) {
      throw new IllegalArgumentException("leakyrelu: expected a finite slope, got " + slope);
    }
  }

  /** Slope 0.01. */
  public LeakyReLU() {
    this(0.01);
  }

  @Override
  public Expr apply(Expr x) {
    return Exprs.ifNotPositive(x, Exprs.mul(x, slope), x);
  }
}
