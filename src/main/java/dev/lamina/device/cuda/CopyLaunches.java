package dev.lamina.device.cuda;

import dev.lamina.device.cuda.Launch.Argument;
import dev.lamina.graph.Op;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;

/**
 * Slices, concatenations, padding and packs: rectangles of bytes that are copied or cleared, one launch each, 16 bytes
 * at a time where lengths and addresses allow.
 */
final class CopyLaunches {
  /** The widest access of a thread. */
  private static final long WIDEST = 16;

  /** Tensors that one launch of {@link #several} copies, as in {@code movement.cu}. */
  private static final int TOGETHER = 4;

  private CopyLaunches() {}

  /**
   * {@code rows} rows of {@code bytes} bytes.
   *
   * @param from address of the first byte, 0 for zeros; {@code fromStride} bytes from one row to the next, likewise
   *     where they go
   */
  private record Rectangle(long from, long fromStride, long to, long toStride, long rows, long bytes) {

    /** Rows that lie one behind the other are one. */
    Rectangle merged() {
      boolean together = toStride == bytes && (from == 0 || fromStride == bytes);
      return rows > 1 && together ? new Rectangle(from, bytes, to, bytes, 1, rows * bytes) : this;
    }

    Launch launch() {
      long unit = unit(from, rows == 1 ? 0 : fromStride, to, rows == 1 ? 0 : toStride, bytes);
      long length = bytes / unit;
      Sizes sizes = new Sizes(Math.max(rows * toStride, rows * fromStride) / unit);
      List<Argument> arguments = new ArrayList<>();
      if (from != 0) {
        arguments.add(new Argument.Address(from));
      }
      arguments.add(new Argument.Address(to));
      arguments.add(sizes.index(rows));
      arguments.add(sizes.index(length));
      if (from != 0) {
        arguments.add(sizes.index(rows == 1 ? length : fromStride / unit));
      }
      arguments.add(sizes.index(rows == 1 ? length : toStride / unit));
      return movement(
          from == 0 ? "lamina_clear_runs" : "lamina_copy_runs",
          unit,
          sizes,
          Launch.blocksFor(rows * length),
          arguments);
    }
  }

  /** A launch of one of the kernels that move units of {@code unit} bytes. */
  static Launch movement(String entry, long unit, Sizes sizes, int grid, List<Argument> arguments) {
    return new Launch(
        KernelText.files("", "movement.cu"),
        sizes.options(1, List.of("-DUNIT=" + unit)),
        entry,
        grid,
        Launch.BLOCK,
        0,
        arguments);
  }

  /** The largest power of two up to 16 that divides all of {@code bytes}. */
  static long unit(long... bytes) {
    long all = WIDEST;
    for (long b : bytes) {
      all |= b;
    }
    return Long.lowestOneBit(all);
  }

  private static List<Launch> launches(List<Rectangle> rectangles) {
    return rectangles.stream()
        .filter(rectangle -> rectangle.rows > 0 && rectangle.bytes > 0)
        .map(rectangle -> rectangle.merged().launch())
        .toList();
  }

  /** All bytes of a tensor, as they are. */
  static List<Launch> copy(long from, long to, long bytes) {
    return launches(List.of(new Rectangle(from, bytes, to, bytes, 1, bytes)));
  }

  /** All bytes of several tensors, at most {@link #TOGETHER} of them a launch. */
  static List<Launch> several(long[] from, long[] to, long[] bytes) {
    List<Launch> launches = new ArrayList<>();
    for (int first = 0; first < from.length; first += TOGETHER) {
      List<Argument> arguments = new ArrayList<>();
      long unit = WIDEST;
      long most = 0;
      for (int i = first; i < first + TOGETHER; i++) {
        boolean exists = i < from.length;
        arguments.add(new Argument.Address(exists ? from[i] : 0));
        arguments.add(new Argument.Address(exists ? to[i] : 0));
        arguments.add(new Argument.Int64(exists ? bytes[i] : 0));
        unit = exists ? unit(unit, from[i], to[i]) : unit;
        most = Math.max(most, exists ? bytes[i] : 0);
      }
      if (most > 0) {
        launches.add(movement("lamina_copy_several", unit, new Sizes(0), Launch.blocksFor(most / unit), arguments));
      }
    }
    return launches;
  }

  static List<Launch> slice(Op.Slice op, TensorType in, long from, long to) {
    long inner = innerBytes(in, op.axis());
    long kept = (op.stop() - op.start()) * inner;
    long row = in.shape().dim(op.axis()) * inner;
    return launches(
        List.of(new Rectangle(from + op.start() * inner, row, to, kept, outer(in.shape(), op.axis()), kept)));
  }

  static List<Launch> concat(Op.Concat op, List<TensorType> in, long[] from, long to) {
    long rows = outer(in.getFirst().shape(), op.axis());
    long whole = in.stream().mapToLong(type -> type.shape().dim(op.axis()) * innerBytes(type, op.axis())).sum();
    List<Rectangle> rectangles = new ArrayList<>();
    long at = to;
    for (int i = 0; i < in.size(); i++) {
      long bytes = in.get(i).shape().dim(op.axis()) * innerBytes(in.get(i), op.axis());
      rectangles.add(new Rectangle(from[i], bytes, at, whole, rows, bytes));
      at += bytes;
    }
    return launches(rectangles);
  }

  static List<Launch> pad(Op.Pad op, TensorType in, long from, long to) {
    long rows = outer(in.shape(), op.axis());
    long inner = innerBytes(in, op.axis());
    long kept = in.shape().dim(op.axis()) * inner;
    long before = op.before() * inner;
    long after = op.after() * inner;
    long whole = before + kept + after;
    return launches(
        List.of(
            new Rectangle(0, 0, to, whole, rows, before),
            new Rectangle(from, kept, to + before, whole, rows, kept),
            new Rectangle(0, 0, to + before + kept, whole, rows, after)));
  }

  /** What was computed in its place stays there. */
  static List<Launch> pack(Op.Pack op, List<TensorType> in, long[] from, long to) {
    long element = in.getFirst().dtype().bytes();
    List<Rectangle> rectangles = new ArrayList<>();
    long end = to;
    for (int i = 0; i < in.size(); i++) {
      long at = to + op.offsets().get(i) * element;
      rectangles.add(gap(end, at));
      if (from[i] != at) {
        rectangles.add(new Rectangle(from[i], 0, at, 0, 1, in.get(i).bytes()));
      }
      end = at + in.get(i).bytes();
    }
    rectangles.add(gap(end, to + op.size() * element));
    return launches(rectangles);
  }

  private static Rectangle gap(long start, long end) {
    return new Rectangle(0, 0, start, 0, 1, end - start);
  }

  private static long outer(Shape shape, int axis) {
    long product = 1;
    for (int i = 0; i < axis; i++) {
      product *= shape.dim(i);
    }
    return product;
  }

  /** Bytes from one coordinate along {@code axis} to the next. */
  private static long innerBytes(TensorType type, int axis) {
    long product = type.dtype().bytes();
    for (int i = axis + 1; i < type.shape().rank(); i++) {
      product *= type.shape().dim(i);
    }
    return product;
  }
}
