package dev.lamina.nn.activation;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;

/**
 * {@code log(1 + eˣ)}, a smooth ReLU (Dugas et al. 2001). PyTorch's with β = 1, without its switch to {@code x} above
 * 20, which saves time and costs 2e-9.
 */
public record Softplus() implements Activation {
  @Override
  public Expr apply(Expr x) {
    return Exprs.softplus(x);
  }
}
