package dev.lamina.nn.activation;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;

/** {@code 1 / (1 + e⁻ˣ)}, from 0 to 1. */
public record Sigmoid() implements Activation {
  @Override
  public Expr apply(Expr x) {
    return Exprs.sigmoid(x);
  }
}
