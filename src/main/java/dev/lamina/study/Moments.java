package dev.lamina.study;

import static dev.lamina.graph.Exprs.input;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op;
import dev.lamina.graph.Op.ReduceKind;
import dev.lamina.graph.Tensor;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;

/** Statistics of all elements of a tensor, computed where it lies; sums are kept in double. */
final class Moments {
  private Moments() {}

  /** The mean, a scalar F64. */
  static Tensor mean(Tensor x) {
    Expr share = Exprs.mul(input(0), 1.0 / x.shape().size());
    return x.reduce(ReduceKind.SUM, share, DType.F64, new int[0]);
  }

  /**
   * The standard deviation of the elements as a population, a scalar F64; in two passes, so that a mean costs no
   * digits.
   */
  static Tensor deviation(Tensor x) {
    Expr difference = Exprs.sub(input(0), input(1));
    Expr square = Exprs.mul(Exprs.mul(difference, difference), 1.0 / x.shape().size());
    Tensor variance = x.reduce(ReduceKind.SUM, square, DType.F64, new int[0], mean(x));
    return variance.map(Exprs::sqrt);
  }

  /** The share of elements for which {@code left relation right} of {@code value}, a scalar F64. */
  static Tensor share(Tensor x, Expr value, Relation relation, double bound) {
    Expr one = Exprs.constant(1.0 / x.shape().size());
    Expr counted = Exprs.select(relation, value, Exprs.constant(bound), one, Exprs.constant(0));
    return x.reduce(ReduceKind.SUM, counted, DType.F64, new int[0]);
  }

  /** √Σx², a scalar F64. */
  static Tensor norm(Tensor x) {
    return x.reduce(ReduceKind.SUM, Exprs.mul(input(0), input(0)), DType.F64, new int[0]).map(Exprs::sqrt);
  }

  /** The smallest element, a scalar. */
  static Tensor least(Tensor x) {
    return x.reduce(ReduceKind.MIN, input(0), x.dtype(), new int[0]);
  }

  /**
   * How many elements lie in each of {@code bins} equal parts of [low, high], both ends included, F32 [bins].
   *
   * @param low a scalar of x's type
   * @param high a scalar of x's type
   */
  static Tensor histogram(Tensor x, Tensor low, Tensor high, int bins) {
    Tensor column = x.reshape(Shape.of(Math.toIntExact(x.shape().size()), 1));
    // Which edge is which is told by an index, a row of which makes every element be compared with every bin.
    Tensor row = x.graph().one(new Op.Map(new Expr.Index(0), x.dtype(), Shape.of(bins)));
    Expr place = Exprs.mul(Exprs.div(Exprs.sub(input(0), input(1)), Exprs.sub(input(2), input(1))), bins);
    Expr last = Exprs.sub(Exprs.constant(bins), 1);
    Expr belowEnd = Exprs.add(input(3), 1);
    Expr one = Exprs.constant(1);
    Expr none = Exprs.constant(0);
    Expr inLast = Exprs.select(Relation.EQ, input(3), last, one, none);
    Expr upper = Exprs.select(Relation.LT, place, belowEnd, one, inLast);
    Expr counted = Exprs.select(Relation.GE, place, input(3), upper, none);
    return column.reduce(ReduceKind.SUM, counted, x.dtype(), new int[] {0}, low, high, row);
  }
}
