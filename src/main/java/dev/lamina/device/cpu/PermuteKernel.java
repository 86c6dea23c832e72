package dev.lamina.device.cpu;

import dev.lamina.device.Step;
import dev.lamina.tensor.Shape;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * Copies a tensor with its dimensions in another order. Dimensions that stay neighbours are one; what then stays
 * innermost is copied as blocks of bytes, and what does not is transposed in squares, so that both sides use whole
 * cache lines.
 */
final class PermuteKernel implements CpuKernel {
  /** Side of a square in elements: 16 floats are a cache line. */
  private static final int SQUARE = 16;

  /** Elements of a chunk. */
  private static final long CHUNK = 32 * 1024;

  private final Workers workers;
  private final long elementBytes;

  /** Extents of the output, and for each the elements of the input from one coordinate to the next. */
  private final int[] dims;

  private final long[] strides;

  /** The output dimension along which the input is contiguous. */
  private final int contiguous;

  PermuteKernel(List<Integer> axes, Shape input, long elementBytes, Workers workers) {
    this.workers = workers;
    this.elementBytes = elementBytes;
    List<Integer> extents = new ArrayList<>();
    List<Long> steps = new ArrayList<>();
    for (int axis : axes) {
      int extent = input.dim(axis);
      long step = input.sizeBehind(axis);
      int last = extents.size() - 1;
      if (extent == 1) {
        continue;
      }
      if (last >= 0 && steps.get(last) == step * extent && (long) extents.get(last) * extent < Integer.MAX_VALUE) {
        extents.set(last, extents.get(last) * extent);
        steps.set(last, step);
      } else {
        extents.add(extent);
        steps.add(step);
      }
    }
    if (extents.isEmpty()) {
      extents.add(1);
      steps.add(1L);
    }
    dims = extents.stream().mapToInt(Integer::intValue).toArray();
    strides = steps.stream().mapToLong(Long::longValue).toArray();
    int unit = 0;
    while (strides[unit] != 1) {
      unit++;
    }
    contiguous = unit;
  }

  @Override
  public Step bind(long[] inputs, long[] outputs, long workspace) {
    return contiguous == dims.length - 1 ? blocks(inputs[0], outputs[0]) : squares(inputs[0], outputs[0]);
  }

  /** The innermost dimension stays: copies it, row by row. */
  private Step blocks(long from, long to) {
    int row = dims[dims.length - 1];
    long rows = rows(dims.length - 1, -1);
    long together = Math.max(1, CHUNK / row);
    Workers.Task task =
        chunk -> {
          long last = Math.min(rows, (chunk + 1) * together);
          for (long r = chunk * together; r < last; r++) {
            Memory.copy(
                from + source(r, dims.length - 1, -1) * elementBytes, to + r * row * elementBytes, row * elementBytes);
          }
        };
    int chunks = Math.toIntExact((rows + together - 1) / together);
    return () -> workers.run(task, chunks);
  }

  /** The innermost dimension of the output and that of the input are transposed, for each combination of the others. */
  private Step squares(long from, long to) {
    int last = dims.length - 1;
    int height = dims[contiguous];
    int bands = (height + SQUARE - 1) / SQUARE;
    long outer = rows(last, contiguous);
    long rowStride = strideOfOutput(contiguous);
    int chunks = Math.toIntExact(outer * bands);
    Workers.Task task =
        chunk -> {
          long others = chunk / bands;
          int firstRow = chunk % bands * SQUARE;
          int lastRow = Math.min(height, firstRow + SQUARE);
          long source = from + source(others, last, contiguous) * elementBytes;
          long target = to + target(others, last, contiguous) * elementBytes;
          for (int column = 0; column < dims[last]; column += SQUARE) {
            int lastColumn = Math.min(dims[last], column + SQUARE);
            for (int r = firstRow; r < lastRow; r++) {
              transposeRow(source, target, r, column, lastColumn, strides[last], rowStride);
            }
          }
        };
    return () -> workers.run(task, chunks);
  }

  /** Output elements (r, from) to (r, to − 1): input elements (column, r). */
  private void transposeRow(long source, long target, int r, int from, int to, long columnStride, long rowStride) {
    switch ((int) elementBytes) {
      case 4 -> {
        for (int c = from; c < to; c++) {
          Memory.set(target + 4 * (r * rowStride + c), Memory.get(source + 4 * (c * columnStride + r)));
        }
      }
      case 1 -> {
        for (int c = from; c < to; c++) {
          Memory.ALL.set(
              ValueLayout.JAVA_BYTE,
              target + r * rowStride + c,
              Memory.ALL.get(ValueLayout.JAVA_BYTE, source + c * columnStride + r));
        }
      }
      default -> {
        for (int c = from; c < to; c++) {
          Memory.copy(
              source + elementBytes * (c * columnStride + r),
              target + elementBytes * (r * rowStride + c),
              elementBytes);
        }
      }
    }
  }

  /** The product of all extents but those of two dimensions. */
  private long rows(int without, int orWithout) {
    long product = 1;
    for (int d = 0; d < dims.length; d++) {
      product *= d == without || d == orWithout ? 1 : dims[d];
    }
    return product;
  }

  private long source(long index, int without, int orWithout) {
    long offset = 0;
    long rest = index;
    for (int d = dims.length - 1; d >= 0; d--) {
      if (d != without && d != orWithout) {
        offset += rest % dims[d] * strides[d];
        rest /= dims[d];
      }
    }
    return offset;
  }

  private long target(long index, int without, int orWithout) {
    long offset = 0;
    long rest = index;
    for (int d = dims.length - 1; d >= 0; d--) {
      if (d != without && d != orWithout) {
        offset += rest % dims[d] * strideOfOutput(d);
        rest /= dims[d];
      }
    }
    return offset;
  }

  private long strideOfOutput(int dimension) {
    long stride = 1;
    for (int d = dimension + 1; d < dims.length; d++) {
      stride *= dims[d];
    }
    return stride;
  }
}
