package dev.lamina.loss;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.tensor.Shape;

/**
 * What losses over values have in common: a target of the prediction's shape, and the mean over an example's values.
 */
final class ByValue {
  private ByValue() {}

  /**
   * For each example the mean of {@code term}, an expression over prediction (input 0) and target (input 1), so that
   * the mean over a batch is the mean over all values.
   *
   * @return [n]
   */
  static Tensor mean(String loss, Expr term, Tensor prediction, Tensor target) {
    Shape shape = prediction.shape();
    if (shape.rank() < 1
        || target.shape().size() != shape.size()
        || target.shape().rank() < 1
        || target.shape().dim(0) != shape.dim(0)) {
      throw new IllegalArgumentException(
          loss + ": expected a target of the prediction's shape " + shape + ", got " + target.shape());
    }
    int n = shape.dim(0);
    int values = Math.toIntExact(shape.sliceSize());
    Tensor flat = prediction.reshape(n, values);
    Expr mean = Exprs.mul(term, 1.0 / values);
    return flat.reduce(Op.ReduceKind.SUM, mean, prediction.dtype(), new int[] {1}, target.reshape(n, values));
  }

  /** Requires scores [n, classes] and class indices [n]. */
  static void requireClasses(String loss, Tensor prediction, Tensor target) {
    if (prediction.shape().rank() != 2 || !target.shape().equals(Shape.of(prediction.shape().dim(0)))) {
      throw new IllegalArgumentException(
          loss
              + ": expected scores [n,classes] and class indices [n], got "
              + prediction.shape()
              + " and "
              + target.shape());
    }
  }
}
