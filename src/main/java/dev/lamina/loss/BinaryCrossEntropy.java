package dev.lamina.loss;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Tensor;
import dev.lamina.tensor.TensorType;

/**
 * Cross-entropy between the sigmoid of scores (logits) and probabilities t, mostly 0 or 1: {@code −t·log σ(s) − (1 −
 * t)·log(1 − σ(s))}, the mean over an example's scores. PyTorch's {@code BCEWithLogitsLoss}. Written as {@code
 * t·softplus(−s) + (1 − t)·softplus(s)}, which neither overflows nor cancels, however sure and however wrong the
 * network is. The network ends in scores; a sigmoid layer before this loss would be a second one.
 */
public record BinaryCrossEntropy() implements Loss {
  @Override
  public Task task() {
    return Task.BINARY;
  }

  @Override
  public TensorType target(TensorType prediction) {
    return prediction;
  }

  @Override
  public Tensor perExample(Tensor prediction, Tensor target) {
    Expr score = Exprs.input(0);
    Expr truth = Exprs.input(1);
    Expr term =
        Exprs.add(
            Exprs.mul(truth, Exprs.softplus(Exprs.neg(score))), Exprs.mul(Exprs.sub(1, truth), Exprs.softplus(score)));
    return ByValue.mean("binary cross-entropy", term, prediction, target);
  }
}
