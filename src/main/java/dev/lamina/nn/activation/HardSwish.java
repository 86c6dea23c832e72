package dev.lamina.nn.activation;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Exprs;

/**
 * {@code x} times its {@link HardSigmoid} (Howard et al. 2019, MobileNetV3). Its derivative is 0 at −3 and 1 at 3, as
 * in PyTorch since its pull request 148049 (2025); before, PyTorch took the slopes from within, −1/2 and 3/2.
 */
public record HardSwish() implements Activation {
  @Override
  public Expr apply(Expr x) {
    Expr within = Exprs.mul(x, Exprs.add(Exprs.mul(x, 1.0 / 6), 0.5));
    Expr aboveLow = Exprs.select(Relation.GE, x, Exprs.constant(3), x, within);
    return Exprs.select(Relation.LE, x, Exprs.constant(-3), Exprs.constant(0), aboveLow);
  }
}
