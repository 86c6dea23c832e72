package dev.lamina.graph;

import static dev.lamina.graph.Exprs.constant;
import static dev.lamina.graph.Exprs.input;

import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Op.ReduceKind;
import dev.lamina.tensor.DType;
import java.util.Arrays;

/**
 * Statistics of all elements of a tensor, computed where it lies. Results are scalars of the type that sums are to
 * have: F64 keeps the digits of millions of elements, F32 is what every device does at full speed.
 *
 * <p>Sums are divided after they were made: what a device compiles for their terms is then the same for all sizes.
 */
public final class Statistics {
  private Statistics() {}

  /** The mean. */
  public static Tensor mean(Tensor x, DType type) {
    return share(x, sum(x, input(0), type));
  }

  /** The variance of the elements as a population; in two passes, so that a mean costs no digits. */
  public static Tensor variance(Tensor x, DType type) {
    Expr deviation = Exprs.sub(input(0), input(1));
    return share(x, sum(x, Exprs.mul(deviation, deviation), type, mean(x, type)));
  }

  /** The standard deviation of the elements as a population. */
  public static Tensor deviation(Tensor x, DType type) {
    return variance(x, type).map(Exprs::sqrt);
  }

  /** √Σx². */
  public static Tensor norm(Tensor x, DType type) {
    return sum(x, Exprs.mul(input(0), input(0)), type).map(Exprs::sqrt);
  }

  /**
   * √Σv² of the values of an expression over {@code x} (input 0) and {@code others}, each divided by the largest before
   * it is squared: the square of 1e-23 is nothing in a float.
   */
  public static Tensor safeNorm(Tensor x, Expr value, DType type, Tensor... others) {
    Tensor largest = x.reduce(ReduceKind.MAX, Exprs.abs(value), type, new int[0], others);
    Tensor[] withLargest = Arrays.copyOf(others, others.length + 1);
    withLargest[others.length] = largest;
    Expr share = Exprs.div(value, notZero(input(withLargest.length)));
    return sum(x, Exprs.mul(share, share), type, withLargest).map((sum, v) -> Exprs.mul(Exprs.sqrt(sum), v), largest);
  }

  /**
   * The standard deviation of the elements as a population, with the same precaution.
   *
   * @param range from the least element to the largest, or about as much: a scalar
   */
  public static Tensor safeDeviation(Tensor x, Tensor range, DType type) {
    Expr deviation = Exprs.div(Exprs.sub(input(0), input(1)), notZero(input(2)));
    Tensor variance = share(x, sum(x, Exprs.mul(deviation, deviation), type, mean(x, type), range));
    return variance.map((square, width) -> Exprs.mul(Exprs.sqrt(square), width), range);
  }

  private static Expr notZero(Expr size) {
    return Exprs.ifNotPositive(size, constant(1), size);
  }

  /** The share of elements of which {@code value} (input 0 is the element) is in {@code relation} to {@code bound}. */
  public static Tensor share(Tensor x, Expr value, Relation relation, double bound, DType type) {
    return share(x, count(x, value, relation, bound, type));
  }

  /** How many they are. */
  public static Tensor count(Tensor x, Expr value, Relation relation, double bound, DType type) {
    return sum(x, Exprs.select(relation, value, constant(bound), constant(1), constant(0)), type);
  }

  private static Tensor share(Tensor x, Tensor sum) {
    return sum.times(1.0 / x.shape().size());
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
}
