package dev.lamina.nn.activation;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;

/** {@code tanh x}, from −1 to 1. */
public record Tanh() implements Activation {
  @Override
  public Expr apply(Expr x) {
    return Exprs.tanh(x);
  }
}
