package dev.lamina.loss;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Tensor;
import dev.lamina.tensor.TensorType;

/**
 * The mean of {@code |prediction − target|} over an example's values, also called mean absolute error; its derivative
 * at 0 is 0. PyTorch's {@code L1Loss}.
 */
public record L1() implements Loss {
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
    return ByValue.mean("L1", Exprs.abs(error), prediction, target);
  }
}
