package dev.lamina.nn.activation;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;

/** {@code max(0, x)} (Nair and Hinton 2010); its derivative at 0 is 0. */
public record ReLU() implements Activation {
  @Override
  public Expr apply(Expr x) {
    return Exprs.ifNotPositive(x, Exprs.constant(0), x);
  }
}
