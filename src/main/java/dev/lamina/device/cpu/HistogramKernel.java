package dev.lamina.device.cpu;

import dev.lamina.device.Step;
import dev.lamina.tensor.Shape;
import java.util.Arrays;

/** Counts the elements in each of equal parts of a range. Counts are whole, so the cut into chunks does not matter. */
final class HistogramKernel implements CpuKernel {
  /** Elements of a chunk at least. */
  private static final int CHUNK = 16 * 1024;

  /** Chunks at most: enough for all threads, and few tables to add up. */
  private static final int MOST_CHUNKS = 64;

  /**
   * Counters side by side for each bin, taken in turns: many elements may be equal (zeros, behind a ReLU), and each
   * addition to one counter would wait for the one before.
   */
  private static final int TURNS = 4;

  private final int bins;
  private final long size;
  private final int share;
  private final int chunks;
  private final Workers workers;

  HistogramKernel(int bins, Shape shape, Workers workers) {
    this.bins = bins;
    this.size = shape.size();
    this.workers = workers;
    share = Math.toIntExact(Math.max(CHUNK, (size + MOST_CHUNKS - 1) / MOST_CHUNKS));
    chunks = (int) ((size + share - 1) / share);
  }

  @Override
  public Step bind(long[] inputs, long[] outputs, long workspace) {
    int[][] counts = new int[chunks][TURNS * bins];
    Workers.Task count =
        chunk -> {
          long first = (long) chunk * share;
          int elements = (int) Math.min(share, size - first);
          count(inputs[0] + 4 * first, elements, Memory.get(inputs[1]), Memory.get(inputs[2]), counts[chunk]);
        };
    return () -> {
      workers.run(count, chunks);
      join(counts, outputs[0]);
    };
  }

  /** Counts some elements. In double, so that all devices agree on what lies where. */
  private void count(long from, int elements, double low, double high, int[] counts) {
    Arrays.fill(counts, 0);
    double scale = high > low ? bins / (high - low) : 0;
    int last = bins - 1;
    for (int i = 0; i < elements; i++) {
      double x = Memory.get(from + 4L * i);
      if (x >= low && x <= high) {
        double place = (x - low) * scale;
        counts[TURNS * (place < last ? (int) place : last) + i % TURNS]++;
      }
    }
  }

  private void join(int[][] counts, long to) {
    for (int bin = 0; bin < bins; bin++) {
      long sum = 0;
      for (int[] chunk : counts) {
        for (int turn = 0; turn < TURNS; turn++) {
          sum += chunk[TURNS * bin + turn];
        }
      }
      Memory.set(to + 4L * bin, (float) sum);
    }
  }
}
