package dev.lamina.nn.activation;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;

/**
 * {@code λ·(x > 0 ? x : α·(eˣ − 1))} with the λ and α that draw mean and variance of a deep dense network's activations
 * to 0 and 1 (Klambauer et al. 2017). Goes with {@link dev.lamina.nn.init.LeCun LeCun} normal weights.
 */
public record SELU() implements Activation {
  private static final double ALPHA = 1.6732632423543772;
  private static final double LAMBDA = 1.0507009873554805;

  @Override
  public Expr apply(Expr x) {
    // λ within the branches: then the derivative can be told from the output alone.
    return Exprs.ifNotPositive(x, Exprs.mul(Exprs.expm1(x), LAMBDA * ALPHA), Exprs.mul(x, LAMBDA));
  }
}
