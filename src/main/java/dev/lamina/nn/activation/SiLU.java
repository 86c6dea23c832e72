package dev.lamina.nn.activation;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;

/** {@code x·σ(x)}, also called swish (Elfwing et al. 2017, Ramachandran et al. 2017). */
public record SiLU() implements Activation {
  @Override
  public Expr apply(Expr x) {
    return Exprs.mul(x, Exprs.sigmoid(x));
  }
}
