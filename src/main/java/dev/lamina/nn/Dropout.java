package dev.lamina.nn;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Tensor;

/**
 * In training each value is dropped to 0 with probability {@code rate}, and what stays is divided by {@code 1 − rate},
 * so that evaluation has nothing to do ("inverted"; Srivastava et al. 2014 scale at test time instead, which is the
 * same up to that factor). Masks are the same bits on every device.
 *
 * @param rate share that is dropped, in [0, 1)
 */
public record Dropout(double rate) implements Layer {
  public Dropout {
    if (!(rate >= 0 && rate < 1)) {
      throw new IllegalArgumentException("dropout: expected a rate of 0 or more and below 1, got " + rate);
    }
  }

  /** Half. */
  public Dropout() {
    this(0.5);
  }

  @Override
  public Tensor forward(Tensor x, Scope scope) {
    if (!scope.training() || rate == 0) {
      return x;
    }
    Expr kept = new Expr.Bernoulli(scope.random(1), Math.round((1 - rate) * 0x1p32));
    // A product, not a select: a NaN that is dropped stays NaN, as in PyTorch.
    return x.map(Exprs.mul(Exprs.input(0), Exprs.mul(kept, 1 / (1 - rate))), scope.step());
  }
}
