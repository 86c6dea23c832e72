package dev.lamina.device.reference;

import dev.lamina.tensor.Shape;
import java.util.Arrays;
import java.util.List;

/**
 * Operations that only move elements. Around an axis a tensor is [outer][along][inner]: what is cut or joined along it
 * are runs of along·inner elements.
 */
final class Movement {
  private Movement() {}

  static Computation permute(Shape from, List<Integer> axes) {
    Shape to = Shape.of(axes.stream().mapToInt(from::dim).toArray());
    Grid grid = Grid.strided(to, axes.stream().mapToInt(axis -> inner(from, axis)).toArray());
    return (in, out) -> {
      for (grid.start(in); grid.inside(); grid.advance()) {
        out[0][grid.index()] = grid.input(0);
      }
    };
  }

  static Computation slice(Shape from, Shape to, int axis, int start) {
    int fromRun = run(from, axis);
    int toRun = run(to, axis);
    int skipped = start * inner(to, axis);
    int runs = outer(to, axis);
    return (in, out) -> {
      for (int i = 0; i < runs; i++) {
        System.arraycopy(in[0], i * fromRun + skipped, out[0], i * toRun, toRun);
      }
    };
  }

  static Computation pad(Shape from, Shape to, int axis, int before) {
    int fromRun = run(from, axis);
    int toRun = run(to, axis);
    int zeros = before * inner(to, axis);
    int runs = outer(to, axis);
    return (in, out) -> {
      Arrays.fill(out[0], 0, runs * toRun, 0);
      for (int i = 0; i < runs; i++) {
        System.arraycopy(in[0], i * fromRun, out[0], i * toRun + zeros, fromRun);
      }
    };
  }

  static Computation concat(List<Shape> from, Shape to, int axis) {
    int[] lengths = from.stream().mapToInt(shape -> run(shape, axis)).toArray();
    int runs = outer(to, axis);
    return (in, out) -> {
      int at = 0;
      for (int i = 0; i < runs; i++) {
        for (int k = 0; k < lengths.length; k++) {
          System.arraycopy(in[k], i * lengths[k], out[0], at, lengths[k]);
          at += lengths[k];
        }
      }
    };
  }

  static Computation pack(List<Shape> from, List<Long> offsets, int size) {
    int[] lengths = from.stream().mapToInt(shape -> (int) shape.size()).toArray();
    int[] starts = offsets.stream().mapToInt(Long::intValue).toArray();
    return (in, out) -> {
      Arrays.fill(out[0], 0, size, 0);
      for (int k = 0; k < lengths.length; k++) {
        System.arraycopy(in[k], 0, out[0], starts[k], lengths[k]);
      }
    };
  }

  private static int outer(Shape shape, int axis) {
    return (int) shape.sizeBefore(axis);
  }

  private static int inner(Shape shape, int axis) {
    return (int) shape.sizeBehind(axis);
  }

  private static int run(Shape shape, int axis) {
    return shape.dim(axis) * inner(shape, axis);
  }
}
