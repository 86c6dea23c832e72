package dev.lamina.graph;

import static dev.lamina.graph.Exprs.constant;
import static dev.lamina.graph.Exprs.input;

import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Op.ReduceKind;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;

/**
 * Statistics of all elements of a tensor, computed where it lies. Results are scalars of the type that sums are to
 * have: F64 keeps the digits of millions of elements, F32 is what every device does at full speed.
 */
public final class Statistics {
  private Statistics() {}

  /** The mean. */
  public static Tensor mean(Tensor x, DType type) {
    return sum(x, Exprs.mul(input(0), share(x)), type);
  }

  /** The variance of the elements as a population; in two passes, so that a mean costs no digits. */
  public static Tensor variance(Tensor x, DType type) {
    Expr deviation = Exprs.sub(input(0), input(1));
    return sum(x, Exprs.mul(Exprs.mul(deviation, deviation), share(x)), type, mean(x, type));
  }

  /** The standard deviation of the elements as a population. */
  public static Tensor deviation(Tensor x, DType type) {
    return variance(x, type).map(Exprs::sqrt);
  }

  /** √Σx². */
  public static Tensor norm(Tensor x, DType type) {
    return sum(x, Exprs.mul(input(0), input(0)), type).map(Exprs::sqrt);
  }

  /** The share of elements of which {@code value} (input 0 is the element) is in {@code relation} to {@code bound}. */
  public static Tensor share(Tensor x, Expr value, Relation relation, double bound, DType type) {
    return sum(x, Exprs.select(relation, value, constant(bound), constant(share(x)), constant(0)), type);
  }

  private static double share(Tensor x) {
    return 1.0 / x.shape().size();
  }

  private static Tensor sum(Tensor x, Expr value, DType type, Tensor... others) {
    return x.reduce(ReduceKind.SUM, value, type, new int[0], others);
  }

  /** The smallest element, of x's type. */
  public static Tensor least(Tensor x) {
    return x.reduce(ReduceKind.MIN, input(0), x.dtype(), new int[0]);
  }

  /** The largest element, of x's type. */
  public static Tensor largest(Tensor x) {
    return x.reduce(ReduceKind.MAX, input(0), x.dtype(), new int[0]);
  }

  /**
   * How many elements lie in each of {@code bins} equal parts of [low, high], both ends included, as F32 [bins]. If all
   * are the same they are in the first.
   *
   * @param low a scalar
   * @param high a scalar
   */
  public static Tensor histogram(Tensor x, Tensor low, Tensor high, int bins) {
    Tensor column = x.reshape(Math.toIntExact(x.shape().size()), 1);
    // Input 1 is low, 2 high, 3 there for the shape: each value is compared with each bin.
    Tensor row = x.graph().constant(new TensorType(Shape.of(1, bins), DType.F32), 0);
    Expr width = Exprs.max(Exprs.sub(input(2), input(1)), constant(Float.MIN_NORMAL));
    Expr place = Exprs.mul(Exprs.div(Exprs.sub(input(0), input(1)), width), bins);
    Expr within = Exprs.min(place, constant(bins - 0.5));
    Expr begins = Exprs.add(new Expr.Index(1), input(3));
    Expr before = Exprs.select(Relation.LT, within, Exprs.add(begins, 1), constant(1), constant(0));
    Expr counted = Exprs.select(Relation.GE, within, begins, before, constant(0));
    return column.reduce(ReduceKind.SUM, counted, DType.F32, new int[] {0}, low, high, row);
  }
}
