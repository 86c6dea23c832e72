package dev.lamina.nn.activation;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;

/** {@code x / (1 + |x|)} (Bergstra et al. 2009). */
public record Softsign() implements Activation {
  @Override
  public Expr apply(Expr x) {
    return Exprs.div(x, Exprs.add(Exprs.abs(x), 1));
  }
}
