package dev.lamina.nn.activation;

import dev.lamina.graph.Expr;

/** {@code x}. */
public record Identity() implements Activation {
  @Override
  public Expr apply(Expr x) {
    return x;
  }
}
