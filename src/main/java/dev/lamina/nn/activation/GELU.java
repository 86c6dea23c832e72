package dev.lamina.nn.activation;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;

/**
 * {@code x·Φ(x)} with the normal distribution function Φ (Hendrycks and Gimpel 2016).
 *
 * @param approximation how Φ is computed
 */
public record GELU(Approximation approximation) implements Activation {

  /** How Φ is computed. */
  public enum Approximation {
    /** By the error function: {@code (1 + erf(x/√2)) / 2}. */
    NONE,
    /** {@code (1 + tanh(√(2/π)·(x + 0.044715·x³))) / 2}, off by up to 5e-4; what GPT-2 was trained with. */
    TANH
  }

  private static final double ROOT_HALF = Math.sqrt(0.5);
  private static final double ROOT_2_BY_PI = Math.sqrt(2 / Math.PI);
  private static final double CUBIC = 0.044715;

  public GELU {
    if (approximation == null) {
      throw new IllegalArgumentException("gelu: the approximation is missing");
    }
  }

  /** Exact. */
  public GELU() {
    this(Approximation.NONE);
  }

  @Override
  public Expr apply(Expr x) {
    Expr curve =
        switch (approximation) {
          case NONE -> Exprs.erf(Exprs.mul(x, ROOT_HALF));
          case TANH -> {
            Expr cube = Exprs.mul(Exprs.mul(x, x), x);
            yield Exprs.tanh(Exprs.mul(Exprs.add(x, Exprs.mul(cube, CUBIC)), ROOT_2_BY_PI));
          }
        };
    return Exprs.mul(Exprs.mul(x, 0.5), Exprs.add(curve, 1));
  }
}
