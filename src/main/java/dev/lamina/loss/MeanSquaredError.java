package dev.lamina.loss;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Tensor;
import dev.lamina.tensor.TensorType;

/** The mean of {@code (prediction − target)²} over an example's values; no factor ½. PyTorch's {@code MSELoss}. */
public record MeanSquaredError() implements Loss {
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
    return ByValue.mean("mean squared error", Exprs.mul(error, error), prediction, target);
  }
}
