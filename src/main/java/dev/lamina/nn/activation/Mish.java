package dev.lamina.nn.activation;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;

/** {@code x·tanh(softplus(x))} (Misra 2019). */
public record Mish() implements Activation {
  @Override
  public Expr apply(Expr x) {
    return Exprs.mul(x, Exprs.tanh(Exprs.softplus(x)));
  }
}
