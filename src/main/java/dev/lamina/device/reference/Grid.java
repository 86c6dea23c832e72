package dev.lamina.device.reference;

import dev.lamina.graph.Expr;
import dev.lamina.graph.ExprEvaluator;
import dev.lamina.tensor.Shape;
import java.util.List;

/**
 * Walks the elements of a shape in row-major order and knows where each operand's element lies: operands are repeated
 * along the dimensions in which they have the extent 1, or which they lack.
 */
final class Grid implements ExprEvaluator.Element {
  private final int[] dims;
  private final int size;

  /** [operand][axis]; 0 along the axes in which an operand is repeated. */
  private final int[][] strides;

  /** Where the current element of each operand lies. */
  private final int[] positions;

  private final int[] coordinates;
  private int flat;
  private double[][] values;

  private Grid(Shape shape, int[][] strides) {
    this.dims = shape.dims();
    this.size = Math.toIntExact(shape.size());
    this.strides = strides;
    this.positions = new int[strides.length];
    this.coordinates = new int[dims.length];
  }

  /** A grid over {@code shape} whose operands all can be repeated to it. */
  static Grid over(Shape shape, List<Shape> operands) {
    return new Grid(shape, operands.stream().map(operand -> broadcastStrides(operand, shape)).toArray(int[][]::new));
  }

  /** A grid over {@code shape} with one operand, whose place in memory moves by {@code strides[i]} along axis i. */
  static Grid strided(Shape shape, int[] strides) {
    return new Grid(shape, new int[][] {strides});
  }

  private static int[] broadcastStrides(Shape operand, Shape shape) {
    int[] strides = new int[shape.rank()];
    if (!operand.broadcastsTo(shape)) {
      return strides; // an input of a fused form that the expression does not read
    }
    int missing = shape.rank() - operand.rank();
    for (int axis = 0; axis < operand.rank(); axis++) {
      strides[missing + axis] = operand.dim(axis) == 1 ? 0 : (int) operand.sizeBehind(axis);
    }
    return strides;
  }

  /** Goes to the first element; expressions then read their inputs from {@code values}. */
  void start(double[][] values) {
    this.values = values;
    this.flat = 0;
    java.util.Arrays.fill(positions, 0);
    java.util.Arrays.fill(coordinates, 0);
  }

  /** Whether there is an element here. */
  boolean inside() {
    return flat < size;
  }

  /** Goes to the next element. */
  void advance() {
    flat++;
    for (int axis = dims.length - 1; axis >= 0; axis--) {
      boolean carry = ++coordinates[axis] == dims[axis];
      int steps = carry ? 1 - dims[axis] : 1;
      for (int operand = 0; operand < positions.length; operand++) {
        positions[operand] += steps * strides[operand][axis];
      }
      if (!carry) {
        return;
      }
      coordinates[axis] = 0;
    }
  }

  /** Row-major index of the current element in the shape. */
  int index() {
    return flat;
  }

  /** Where the current element of an operand lies. */
  int position(int operand) {
    return positions[operand];
  }

  /** The value of {@code expr} at the current element. */
  double evaluate(Expr expr) {
    return ExprEvaluator.evaluate(expr, this);
  }

  @Override
  public double input(int index) {
    return values[index][positions[index]];
  }

  @Override
  public long coordinate(int axis) {
    return coordinates[axis];
  }

  @Override
  public long flatIndex() {
    return flat;
  }
}
