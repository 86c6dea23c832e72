package dev.lamina.device.cpu;

import dev.lamina.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * The iteration of a map with as few dimensions as its broadcasts allow: neighbours along which every operand goes on
 * as one are merged, extents of 1 are gone.
 *
 * @param dims extents, innermost last; empty for one element
 * @param strides for each operand the elements from one coordinate to the next in each dimension; 0 where it is
 *     repeated
 */
record MapGeometry(int[] dims, long[][] strides) {

  /** Aligns each operand's shape with {@code shape} at the last dimension. */
  static MapGeometry of(Shape shape, List<Shape> operands) {
    List<Integer> dims = new ArrayList<>();
    List<long[]> columns = new ArrayList<>();
    for (int axis = 0; axis < shape.rank(); axis++) {
      int extent = shape.dim(axis);
      if (extent == 1) {
        continue;
      }
      long[] column = new long[operands.size()];
      for (int i = 0; i < column.length; i++) {
        column[i] = stride(operands.get(i), axis + operands.get(i).rank() - shape.rank());
      }
      int last = dims.size() - 1;
      if (last >= 0
          && continues(columns.get(last), column, extent)
          && (long) dims.get(last) * extent < Integer.MAX_VALUE) {
        dims.set(last, dims.get(last) * extent);
        columns.set(last, column);
      } else {
        dims.add(extent);
        columns.add(column);
      }
    }
    long[][] strides = new long[operands.size()][dims.size()];
    for (int i = 0; i < strides.length; i++) {
      for (int d = 0; d < dims.size(); d++) {
        strides[i][d] = columns.get(d)[i];
      }
    }
    return new MapGeometry(dims.stream().mapToInt(Integer::intValue).toArray(), strides);
  }

  private static long stride(Shape operand, int axis) {
    return axis < 0 || operand.dim(axis) == 1 ? 0 : operand.sizeBehind(axis);
  }

  private static boolean continues(long[] outer, long[] inner, int innerExtent) {
    for (int i = 0; i < outer.length; i++) {
      if (outer[i] != inner[i] * innerExtent) {
        return false;
      }
    }
    return true;
  }

  int rank() {
    return dims.length;
  }

  /** Extent of the innermost dimension; 1 if there is none. */
  int inner() {
    return dims.length == 0 ? 1 : dims[dims.length - 1];
  }

  /**
   * After how many elements the operand's values come again in the same order: 1 if it is one value, the whole size if
   * it is dense, 0 if its pattern is another.
   */
  long period(int operand) {
    long period = 1;
    int d = dims.length - 1;
    while (d >= 0 && strides[operand][d] == period) {
      period *= dims[d--];
    }
    while (d >= 0) {
      if (strides[operand][d--] != 0) {
        return 0;
      }
    }
    return period;
  }

  /** Offset of an operand's value for the element at flat index {@code flat}. */
  long offset(int operand, long flat) {
    long offset = 0;
    long rest = flat;
    for (int d = dims.length - 1; d > 0; d--) {
      offset += rest % dims[d] * strides[operand][d];
      rest /= dims[d];
    }
    return dims.length == 0 ? 0 : offset + rest * strides[operand][0];
  }
}
