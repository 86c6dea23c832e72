package dev.lamina.loss;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Tensor;
import dev.lamina.tensor.TensorType;

/**
 * Squared for small errors, linear for large ones: {@code ½e²} up to δ, {@code δ·(|e| − ½δ)} beyond; the mean over an
 * example's values (Huber 1964). PyTorch's {@code HuberLoss}; its {@code SmoothL1Loss} is this divided by δ.
 *
 * @param delta where the two meet, above 0; 1
 */
public record Huber(double delta) implements Loss {
  public Huber {
    if (!(delta > 0 && delta < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("huber: expected a delta above 0, got " + delta);
    }
  }

  /** δ = 1. */
  public Huber() {
    this(1);
  }

  @Override
  public Task task() {
    return Task.REGRESSION;
  }

  @Override
  public TensorType target(TensorType prediction) {
    return prediction;
  }

  @Override
  public Tensor perExample(Tensor prediction, Tensor target) {
    Expr error = Exprs.sub(Exprs.input(0), Exprs.input(1));
    Expr squared = Exprs.mul(Exprs.mul(error, error), 0.5);
    Expr linear = Exprs.mul(Exprs.sub(Exprs.abs(error), 0.5 * delta), delta);
    return ByValue.mean(
        "huber",
        Exprs.select(Relation.LE, Exprs.abs(error), Exprs.constant(delta), squared, linear),
        prediction,
        target);
  }
}
