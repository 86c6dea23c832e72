package dev.lamina.tensor;

import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * The extents of a tensor, outermost first; a shape without dimensions is a scalar. Storage is row-major and dense, so
 * the last dimension is contiguous.
 *
 * <p>Immutable; two shapes are equal when their dimensions are.
 */
public final class Shape {
  private static final Shape SCALAR = new Shape(new int[0]);

  private final int[] dims;
  private final long size;

  private Shape(int[] dims) {
    long product = 1;
    for (int dim : dims) {
      if (dim < 0) {
        throw new IllegalArgumentException("a shape has no negative dimension, got " + Arrays.toString(dims));
      }
      product = Math.multiplyExact(product, dim);
    }
    this.dims = dims;
    this.size = product;
  }

  /**
   * A shape of the given dimensions.
   *
   * @throws IllegalArgumentException if a dimension is negative
   * @throws ArithmeticException if the number of elements does not fit in a {@code long}
   */
  public static Shape of(int... dims) {
    return dims.length == 0 ? SCALAR : new Shape(dims.clone());
  }

  /** The shape of a single number. */
  public static Shape scalar() {
    return SCALAR;
  }

  /** The number of dimensions. */
  public int rank() {
    return dims.length;
  }

  /** The extent of dimension {@code axis}; negative axes count from the last. */
  public int dim(int axis) {
    return dims[axis < 0 ? dims.length + axis : axis];
  }

  /** The number of elements. */
  public long size() {
    return size;
  }

  /** A copy of the dimensions. */
  public int[] dims() {
    return dims.clone();
  }

  /** The last dimension, the one that is contiguous in memory; 1 for a scalar. */
  public int last() {
    return dims.length == 0 ? 1 : dims[dims.length - 1];
  }

  /** The number of elements of one slice along the first dimension; the size for a scalar. */
  public long sliceSize() {
    return sizeBehind(0);
  }

  /** The product of the dimensions in front of {@code axis}, which counts from 0. */
  public long sizeBefore(int axis) {
    return product(0, axis);
  }

  /**
   * The product of the dimensions behind {@code axis}, which counts from 0: elements from one of its coordinates to the
   * next.
   */
  public long sizeBehind(int axis) {
    return product(axis + 1, dims.length);
  }

  private long product(int from, int to) {
    long product = 1;
    for (int i = from; i < to; i++) {
      product *= dims[i];
    }
    return product;
  }

  /** The shape of a batch of {@code count} tensors of this one. */
  public Shape batched(int count) {
    int[] batch = new int[dims.length + 1];
    batch[0] = count;
    System.arraycopy(dims, 0, batch, 1, dims.length);
    return new Shape(batch);
  }

  /** This shape with dimension {@code axis} replaced; negative axes count from the last. */
  public Shape with(int axis, int extent) {
    int[] copy = dims.clone();
    copy[axis < 0 ? dims.length + axis : axis] = extent;
    return new Shape(copy);
  }

  /**
   * The shape both broadcast to: dimensions are aligned at the last one, and a missing dimension or an extent of 1 is
   * repeated.
   *
   * @return the common shape, or {@code null} when there is none
   */
  public static Shape broadcast(Shape a, Shape b) {
    int rank = Math.max(a.rank(), b.rank());
    int[] dims = new int[rank];
    for (int i = 1; i <= rank; i++) {
      int da = i <= a.rank() ? a.dims[a.rank() - i] : 1;
      int db = i <= b.rank() ? b.dims[b.rank() - i] : 1;
      if (da != db && da != 1 && db != 1) {
        return null;
      }
      dims[rank - i] = da == 1 ? db : da;
    }
    return of(dims);
  }

  /** Whether a tensor of this shape can be repeated to fill {@code target}. */
  public boolean broadcastsTo(Shape target) {
    return target.equals(broadcast(this, target));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Shape shape && Arrays.equals(dims, shape.dims);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(dims);
  }

  /** For example {@code [128,32,32,3]}; a scalar is {@code []}. */
  @Override
  public String toString() {
    return Arrays.stream(dims).mapToObj(Integer::toString).collect(Collectors.joining(",", "[", "]"));
  }
}
