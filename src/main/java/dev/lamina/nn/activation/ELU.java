package dev.lamina.nn.activation;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;

/**
 * {@code x > 0 ? x : α·(eˣ − 1)} (Clevert et al. 2015); its derivative at 0 is α.
 *
 * @param alpha what it tends to for large negative values, with its sign changed; 1
 */
public record ELU(double alpha) implements Activation {
  public ELU {
    if (!(alpha > 0 && alpha < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("elu: expected an alpha above 0, got " + alpha);
    }
  }

  /** α = 1. */
  public ELU() {
    this(1);
  }

  @Override
  public Expr apply(Expr x) {
    return Exprs.ifNotPositive(x, Exprs.mul(Exprs.expm1(x), alpha), x);
  }
}
