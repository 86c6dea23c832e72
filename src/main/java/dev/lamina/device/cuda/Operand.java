package dev.lamina.device.cuda;

import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** How a tensor's elements lie under those of the shape that is iterated, by flat row-major index. */
sealed interface Operand {

  /** The type of an element. */
  DType dtype();

  /** One value for all. */
  record One(DType dtype) implements Operand {}

  /** An element for each. */
  record Dense(DType dtype) implements Operand {}

  /** The same elements again and again: one value a channel, say. */
  record Periodic(DType dtype, long period) implements Operand {}

  /** Repeated along some dimensions in the midst of others. */
  record Strided(DType dtype, List<Dimension> dimensions) implements Operand {}

  /**
   * A dimension along which the operand advances.
   *
   * @param inner elements of the iterated shape from one coordinate to the next
   * @param extent the number of coordinates, 0 for the outermost dimension, where the quotient needs no remainder
   * @param stride elements of the operand from one coordinate to the next
   */
  record Dimension(long inner, int extent, long stride) {}

  /** Aligns the shape of {@code type} with {@code shape} at the last dimension. */
  static Operand of(TensorType type, Shape shape) {
    Shape own = type.shape();
    if (own.size() == 1) {
      return new One(type.dtype());
    }
    if (own.size() == shape.size()) {
      return new Dense(type.dtype());
    }
    if (isPeriodic(own, shape)) {
      return new Periodic(type.dtype(), own.size());
    }
    List<Dimension> dimensions = new ArrayList<>();
    long inner = 1;
    long stride = 1;
    for (int i = 1; i <= own.rank(); i++) {
      if (own.dim(-i) != 1) {
        add(dimensions, new Dimension(inner, own.dim(-i), stride));
      }
      inner *= shape.dim(-i);
      stride *= own.dim(-i);
    }
    Dimension last = dimensions.getLast();
    if (last.inner * last.extent == shape.size()) {
      dimensions.set(dimensions.size() - 1, new Dimension(last.inner, 0, last.stride));
    }
    Collections.reverse(dimensions);
    return new Strided(type.dtype(), List.copyOf(dimensions));
  }

  /** Behind what may be repeated, all dimensions are those of {@code shape}. */
  private static boolean isPeriodic(Shape own, Shape shape) {
    long size = 1;
    for (int i = 1; i <= own.rank() && own.dim(-i) == shape.dim(-i); i++) {
      size *= own.dim(-i);
    }
    return size == own.size();
  }

  /** Dimensions over which the operand goes on as over one are one. */
  private static void add(List<Dimension> dimensions, Dimension next) {
    if (!dimensions.isEmpty()) {
      Dimension last = dimensions.getLast();
      boolean continues =
          next.inner == last.inner * last.extent
              && next.stride == last.stride * last.extent
              && (long) last.extent * next.extent < Integer.MAX_VALUE;
      if (continues) {
        dimensions.set(dimensions.size() - 1, new Dimension(last.inner, last.extent * next.extent, last.stride));
        return;
      }
    }
    dimensions.add(next);
  }
}
