package dev.lamina.device.cpu;

import dev.lamina.device.Step;
import dev.lamina.tensor.Shape;

/** Counts the elements in each of equal parts of a range. Counts are whole, so the cut into chunks does not matter. */
final class HistogramKernel implements CpuKernel {
  /** Elements of a chunk. */
  private static final int CHUNK = 32 * 1024;

  /**
   * Counters side by side for each bin, taken in turns: many elements may be equal (zeros, behind a ReLU), and each
   * addition to one counter would wait for the one before.
   */
  private static final int TURNS = 4;

  private final int bins;
  private final long size;
  private final int chunks;
  private final Workers workers;

  HistogramKernel(int bins, Shape shape, Workers workers) {
    this.bins = bins;
    this.size = shape.size();
    this.workers = workers;
    chunks = Math.toIntExact((size + CHUNK - 1) / CHUNK);
  }

  @Override
  public long workspaceBytes() {
    return chunks * tableBytes();
  }

  private long tableBytes() {
    return Memory.aligned(4L * TURNS * bins);
  }

  @Override
  public Step bind(long[] inputs, long[] outputs, long workspace) {
    Workers.Task count =
        chunk -> {
          long first = (long) chunk * CHUNK;
          long from = inputs[0] + 4 * first;
          int elements = (int) Math.min(CHUNK, size - first);
          count(from, elements, Memory.get(inputs[1]), Memory.get(inputs[2]), workspace + chunk * tableBytes());
        };
    return () -> {
      workers.run(count, chunks);
      join(workspace, outputs[0]);
    };
  }

  /** Leaves the counts of some elements in {@code table}. In double, so that all devices agree on what lies where. */
  private void count(long from, int elements, double low, double high, long table) {
    Memory.clear(table, tableBytes());
    double scale = high > low ? bins / (high - low) : 0;
    for (int i = 0; i < elements; i++) {
      double x = Memory.get(from + 4L * i);
      if (x >= low && x <= high) {
        int bin = (int) Math.min((x - low) * scale, bins - 1);
        long counter = table + 4L * (TURNS * bin + i % TURNS);
        ScalarAccess.setInt(counter, ScalarAccess.getInt(counter) + 1);
      }
    }
  }

  private void join(long tables, long to) {
    for (int bin = 0; bin < bins; bin++) {
      long sum = 0;
      for (int chunk = 0; chunk < chunks; chunk++) {
        for (int turn = 0; turn < TURNS; turn++) {
          sum += ScalarAccess.getInt(tables + chunk * tableBytes() + 4L * (TURNS * bin + turn));
        }
      }
      Memory.set(to + 4L * bin, (float) sum);
    }
  }
}
