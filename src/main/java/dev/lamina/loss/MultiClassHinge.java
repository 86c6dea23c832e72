package dev.lamina.loss;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;

/**
 * The multi-class support vector machine's loss: {@code Σ_{j≠y} max(0, s_j − s_y + margin) / classes} over the scores
 * [n, classes] of class y (Weston and Watkins 1999), as PyTorch's {@code MultiMarginLoss}. The course CS231n does not
 * divide by the number of classes: that is {@link #summed}. Where a term is just 0, so is its derivative.
 *
 * @param margin by which the right class is to lead; 1
 * @param averaged whether the sum is divided by the number of classes
 */
public record MultiClassHinge(double margin, boolean averaged) implements Loss {
  public MultiClassHinge {
    if (!(margin >= 0 && margin < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("multi-class hinge: expected a margin of 0 or more, got " + margin);
    }
  }

  /** Margin 1, averaged. */
  public MultiClassHinge() {
    this(1);
  }

  /** Averaged. */
  public MultiClassHinge(double margin) {
    this(margin, true);
  }

  /** The same, not averaged: the course's definition. */
  public MultiClassHinge summed() {
    return new MultiClassHinge(margin, false);
  }

  @Override
  public Task task() {
    return Task.CLASSES;
  }

  @Override
  public TensorType target(TensorType prediction) {
    return TensorType.of(DType.I32, prediction.shape().dim(0));
  }

  @Override
  public Tensor perExample(Tensor prediction, Tensor target) {
    ByValue.requireClasses("multi-class hinge", prediction, target);
    int n = prediction.shape().dim(0);
    Tensor labels = target.reshape(n, 1);
    Expr score = Exprs.input(0);
    Expr own = ifOwn(Exprs.input(1), score, Exprs.constant(0));
    Tensor right = prediction.reduce(Op.ReduceKind.SUM, own, prediction.dtype(), new int[] {1}, labels).reshape(n, 1);
    Expr lag = Exprs.add(Exprs.sub(score, Exprs.input(2)), margin);
    Expr term = ifOwn(Exprs.input(1), Exprs.constant(0), Exprs.ifNotPositive(lag, Exprs.constant(0), lag));
    Expr part = averaged ? Exprs.mul(term, 1.0 / prediction.shape().dim(1)) : term;
    return prediction.reduce(Op.ReduceKind.SUM, part, prediction.dtype(), new int[] {1}, labels, right);
  }

  private static Expr ifOwn(Expr label, Expr ifTrue, Expr ifFalse) {
    return Exprs.select(Relation.EQ, new Expr.Index(1), label, ifTrue, ifFalse);
  }
}
