package dev.lamina.nn.activation;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Exprs;

/**
 * {@code x / 6 + 1/2} held between 0 and 1: PyTorch's; Keras before version 3 and Theano have a slope of 0.2. Its
 * derivative at ±3 is 0.
 */
public record HardSigmoid() implements Activation {
  @Override
  public Expr apply(Expr x) {
    Expr below =
        Exprs.select(Relation.GE, x, Exprs.constant(3), Exprs.constant(1), Exprs.add(Exprs.mul(x, 1.0 / 6), 0.5));
    return Exprs.select(Relation.LE, x, Exprs.constant(-3), Exprs.constant(0), below);
  }
}
