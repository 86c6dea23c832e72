package dev.lamina.device.cpu;

import dev.lamina.device.Step;
import dev.lamina.graph.Op;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;

/** Operations that move bytes: slices, concatenations, padding and packs are rectangles of bytes copied or cleared. */
final class CopyKernel implements CpuKernel {
  /** Work is cut into pieces of this many bytes: some ten microseconds, far more than handing one out costs. */
  private static final long CHUNK = 128 * 1024;

  private static final int ZEROS = -1;

  /**
   * {@code rows} times {@code bytes} bytes.
   *
   * @param input where they come from; −1 stands for zeros
   * @param from offset of the first byte in the input, {@code fromStride} from one row to the next; likewise in the
   *     output
   */
  private record Rectangle(int input, long from, long fromStride, long to, long toStride, long rows, long bytes) {

    /** Cuts it into pieces of about {@link #CHUNK} bytes. */
    void cut(List<Rectangle> pieces) {
      if (rows == 0 || bytes == 0) {
        return;
      }
      if (bytes > CHUNK) {
        for (long row = 0; row < rows; row++) {
          for (long at = 0; at < bytes; at += CHUNK) {
            pieces.add(
                new Rectangle(
                    input,
                    from + row * fromStride + at,
                    0,
                    to + row * toStride + at,
                    0,
                    1,
                    Math.min(CHUNK, bytes - at)));
          }
        }
        return;
      }
      long together = Math.max(1, CHUNK / bytes);
      for (long row = 0; row < rows; row += together) {
        pieces.add(
            new Rectangle(
                input,
                from + row * fromStride,
                fromStride,
                to + row * toStride,
                toStride,
                Math.min(together, rows - row),
                bytes));
      }
    }

    void copy(long source, long target) {
      for (long row = 0; row < rows; row++) {
        Memory.copy(source + from + row * fromStride, target + to + row * toStride, bytes);
      }
    }

    void clear(long target) {
      for (long row = 0; row < rows; row++) {
        Memory.clear(target + to + row * toStride, bytes);
      }
    }
  }

  private final List<Rectangle> rectangles;
  private final Workers workers;

  private CopyKernel(List<Rectangle> rectangles, Workers workers) {
    this.rectangles = rectangles;
    this.workers = workers;
  }

  static CopyKernel slice(Op.Slice op, TensorType in, Workers workers) {
    long inner = innerBytes(in, op.axis());
    long row = in.shape().dim(op.axis()) * inner;
    long kept = (op.stop() - op.start()) * inner;
    return new CopyKernel(
        List.of(new Rectangle(0, op.start() * inner, row, 0, kept, in.shape().sizeBefore(op.axis()), kept)), workers);
  }

  static CopyKernel concat(Op.Concat op, List<TensorType> in, Workers workers) {
    long rows = in.getFirst().shape().sizeBefore(op.axis());
    long whole = in.stream().mapToLong(type -> type.shape().dim(op.axis()) * innerBytes(type, op.axis())).sum();
    List<Rectangle> rectangles = new ArrayList<>();
    long to = 0;
    for (int i = 0; i < in.size(); i++) {
      long bytes = in.get(i).shape().dim(op.axis()) * innerBytes(in.get(i), op.axis());
      rectangles.add(new Rectangle(i, 0, bytes, to, whole, rows, bytes));
      to += bytes;
    }
    return new CopyKernel(rectangles, workers);
  }

  static CopyKernel pad(Op.Pad op, TensorType in, Workers workers) {
    long rows = in.shape().sizeBefore(op.axis());
    long inner = innerBytes(in, op.axis());
    long kept = in.shape().dim(op.axis()) * inner;
    long before = op.before() * inner;
    long after = op.after() * inner;
    long whole = before + kept + after;
    return new CopyKernel(
        List.of(
            new Rectangle(ZEROS, 0, 0, 0, whole, rows, before),
            new Rectangle(0, 0, kept, before, whole, rows, kept),
            new Rectangle(ZEROS, 0, 0, before + kept, whole, rows, after)),
        workers);
  }

  static CopyKernel pack(Op.Pack op, List<TensorType> in, Workers workers) {
    long element = in.getFirst().dtype().bytes();
    List<Rectangle> rectangles = new ArrayList<>();
    long end = 0;
    for (int i = 0; i < in.size(); i++) {
      long to = op.offsets().get(i) * element;
      rectangles.add(new Rectangle(ZEROS, 0, 0, end, 0, 1, to - end));
      rectangles.add(new Rectangle(i, 0, 0, to, 0, 1, in.get(i).bytes()));
      end = to + in.get(i).bytes();
    }
    rectangles.add(new Rectangle(ZEROS, 0, 0, end, 0, 1, op.size() * element - end));
    return new CopyKernel(rectangles, workers);
  }

  /** Bytes from one coordinate along {@code axis} to the next. */
  private static long innerBytes(TensorType type, int axis) {
    return type.dtype().bytes() * type.shape().sizeBehind(axis);
  }

  @Override
  public Step bind(long[] inputs, long[] outputs, long workspace) {
    List<Rectangle> pieces = new ArrayList<>();
    for (Rectangle rectangle : rectangles) {
      // What was computed in its place stays there.
      boolean lies =
          rectangle.rows == 1
              && rectangle.input >= 0
              && inputs[rectangle.input] + rectangle.from == outputs[0] + rectangle.to;
      if (!lies) {
        rectangle.cut(pieces);
      }
    }
    Rectangle[] all = pieces.toArray(Rectangle[]::new);
    long target = outputs[0];
    Workers.Task task =
        i -> {
          if (all[i].input >= 0) {
            all[i].copy(inputs[all[i].input], target);
          } else {
            all[i].clear(target);
          }
        };
    // Many small pieces (the gaps of a pack) cost less here than on their way to another thread.
    long moved = pieces.stream().mapToLong(piece -> piece.rows * piece.bytes).sum();
    if (moved <= CHUNK) {
      return () -> {
        for (int i = 0; i < all.length; i++) {
          task.run(i);
        }
      };
    }
    return () -> workers.run(task, all.length);
  }
}
