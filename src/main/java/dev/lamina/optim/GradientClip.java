package dev.lamina.optim;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Tensor;

/** Keeps gradients from being too large. */
public sealed interface GradientClip {

  /**
   * The clipped gradient.
   *
   * @param gradient a flat vector
   * @param norm the Euclidean norm of all gradients together, a scalar
   */
  Tensor apply(Tensor gradient, Tensor norm);

  /**
   * Each value is held within ±{@code limit}.
   *
   * @param limit above 0
   */
  record ByValue(double limit) implements GradientClip {
    public ByValue {
      requirePositive("clip by value", limit);
    }

    @Override
    public Tensor apply(Tensor gradient, Tensor norm) {
      return gradient.map(g -> Exprs.max(Exprs.constant(-limit), Exprs.min(Exprs.constant(limit), g)));
    }
  }

  /**
   * All gradients are scaled by {@code min(1, limit / (norm + 1e-6))}, as in PyTorch's {@code clip_grad_norm_} (Pascanu
   * et al. 2013).
   *
   * @param limit the largest norm, above 0
   */
  record ByNorm(double limit) implements GradientClip {
    /** Keeps a norm of zero from dividing; PyTorch's value. */
    private static final double TINY = 1e-6;

    public ByNorm {
      requirePositive("clip by norm", limit);
    }

    @Override
    public Tensor apply(Tensor gradient, Tensor norm) {
      Expr scale = Exprs.min(Exprs.constant(1), Exprs.div(limit, Exprs.add(Exprs.input(1), TINY)));
      return gradient.map(Exprs.mul(Exprs.input(0), scale), norm);
    }
  }

  private static void requirePositive(String what, double limit) {
    if (!(limit > 0)) {
      throw new IllegalArgumentException(what + ": expected a limit above 0, got " + limit);
    }
  }
}
