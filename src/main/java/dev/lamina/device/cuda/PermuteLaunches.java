package dev.lamina.device.cuda;

import dev.lamina.device.cuda.Launch.Argument;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Permutations of dimensions. Where the last dimension stays the last, runs of it are copied; else it and what becomes
 * the last make matrices that are transposed through shared memory.
 */
final class PermuteLaunches {
  /** Dimensions around runs, and around matrices, that the kernels take. */
  private static final int AROUND_RUNS = 5;

  private static final int AROUND_MATRICES = 4;

  private PermuteLaunches() {}

  /** A dimension of the output: its extent, and the elements that a step along it is on either side. */
  private record Axis(int extent, long from, long to) {}

  /** The output's dimensions, outermost first; those that stay neighbours are one, extents of 1 are gone. */
  private static List<Axis> collapse(Shape in, List<Integer> axes) {
    long[] strides = new long[in.rank()];
    long stride = 1;
    for (int axis = in.rank() - 1; axis >= 0; axis--) {
      strides[axis] = stride;
      stride *= in.dim(axis);
    }
    List<Axis> reversed = new ArrayList<>();
    long to = 1;
    for (int i = axes.size() - 1; i >= 0; i--) {
      int extent = in.dim(axes.get(i));
      long from = strides[axes.get(i)];
      if (extent != 1) {
        Axis inner = reversed.isEmpty() ? null : reversed.getLast();
        if (inner != null && from == inner.from * inner.extent) {
          reversed.set(reversed.size() - 1, new Axis(inner.extent * extent, inner.from, inner.to));
        } else {
          reversed.add(new Axis(extent, from, to));
        }
        to *= extent;
      }
    }
    return reversed.reversed();
  }

  static Optional<String> unsupported(List<Integer> axes, TensorType in) {
    List<Axis> all = collapse(in.shape(), axes);
    int most = !all.isEmpty() && all.getLast().from == 1 ? AROUND_RUNS + 1 : AROUND_MATRICES + 2;
    return all.size() <= most
        ? Optional.empty()
        : Optional.of("the CUDA device permutes at most " + most + " dimensions that move");
  }

  static List<Launch> of(List<Integer> axes, TensorType in, long from, long to) {
    List<Axis> all = collapse(in.shape(), axes);
    if (all.size() <= 1 || in.shape().size() == 0) {
      return CopyLaunches.copy(from, to, in.bytes());
    }
    return List.of(all.getLast().from == 1 ? runs(all, in, from, to) : transpose(all, in, from, to));
  }

  private static Launch runs(List<Axis> all, TensorType in, long from, long to) {
    int bytes = in.dtype().bytes();
    List<Axis> around = padded(all.subList(0, all.size() - 1), AROUND_RUNS);
    long unit = CopyLaunches.unit(from, to, all.getLast().extent * (long) bytes);
    for (Axis axis : around) {
      unit = Math.min(unit, CopyLaunches.unit(axis.from * bytes));
    }
    long units = in.bytes() / unit;
    long scale = unit;
    Sizes sizes = new Sizes(units);
    List<Argument> arguments = addresses(from, to);
    arguments.add(sizes.index(units));
    arguments.add(sizes.index(all.getLast().extent * (long) bytes / unit));
    around.stream().skip(1).forEach(axis -> arguments.add(new Argument.Int32(axis.extent)));
    around.forEach(axis -> arguments.add(sizes.index(axis.from * bytes / scale)));
    return CopyLaunches.movement("lamina_permute_runs", unit, sizes, Launch.blocksFor(units), arguments);
  }

  private static Launch transpose(List<Axis> all, TensorType in, long from, long to) {
    Axis rows = all.getLast(); // neighbours in the output
    Axis columns = all.stream().filter(axis -> axis.from == 1).findFirst().orElseThrow(); // neighbours in the input
    List<Axis> outer = all.stream().filter(axis -> axis != rows && axis != columns).toList();
    List<Axis> around = padded(outer, AROUND_MATRICES);
    int matrices = Math.toIntExact(outer.stream().mapToLong(Axis::extent).reduce(1, (a, b) -> a * b));
    Sizes sizes = new Sizes(in.shape().size());
    List<Argument> arguments = addresses(from, to);
    arguments.add(new Argument.Int32(rows.extent));
    arguments.add(new Argument.Int32(columns.extent));
    arguments.add(sizes.index(rows.from));
    arguments.add(sizes.index(columns.to));
    arguments.add(new Argument.Int32(matrices));
    around.stream().skip(1).forEach(axis -> arguments.add(new Argument.Int32(axis.extent)));
    around.forEach(axis -> arguments.add(sizes.index(axis.from)));
    around.forEach(axis -> arguments.add(sizes.index(axis.to)));
    long squares = (rows.extent + 31L) / 32 * ((columns.extent + 31L) / 32) * matrices;
    int grid = Math.clamp(squares, 1, Launch.MOST_BLOCKS);
    return CopyLaunches.movement("lamina_transpose", in.dtype().bytes(), sizes, grid, arguments);
  }

  private static List<Axis> padded(List<Axis> axes, int size) {
    List<Axis> padded = new ArrayList<>(axes);
    while (padded.size() < size) {
      padded.addFirst(new Axis(1, 0, 0));
    }
    return padded;
  }

  private static List<Argument> addresses(long from, long to) {
    return new ArrayList<>(List.of(new Argument.Address(from), new Argument.Address(to)));
  }
}
