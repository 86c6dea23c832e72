package dev.lamina.device.cpu;

import dev.lamina.device.Step;
import dev.lamina.tensor.Shape;
import java.lang.foreign.ValueLayout;

/** The index of the largest element of each row. */
final class ArgMaxKernel implements CpuKernel {
  /** Elements of a chunk. */
  private static final int CHUNK = 16 * 1024;

  private final int classes;
  private final int rows;
  private final Workers workers;

  ArgMaxKernel(Shape shape, Workers workers) {
    this.classes = shape.last();
    this.rows = Math.toIntExact(shape.size() / classes);
    this.workers = workers;
  }

  @Override
  public Step bind(long[] inputs, long[] outputs, long workspace) {
    long from = inputs[0];
    long to = outputs[0];
    int together = Math.max(1, CHUNK / classes);
    Workers.Task task =
        chunk -> {
          int last = Math.min(rows, (chunk + 1) * together);
          for (int row = chunk * together; row < last; row++) {
            Memory.ALL.set(ValueLayout.JAVA_INT_UNALIGNED, to + 4L * row, largest(from + 4L * row * classes));
          }
        };
    int chunks = (rows + together - 1) / together;
    return () -> workers.run(task, chunks);
  }

  /** The first of equals; NaN counts as largest. */
  private int largest(long row) {
    int best = 0;
    float value = Memory.get(row);
    for (int i = 1; i < classes && !Float.isNaN(value); i++) {
      float next = Memory.get(row + 4L * i);
      if (!(next <= value)) {
        best = i;
        value = next;
      }
    }
    return best;
  }
}
