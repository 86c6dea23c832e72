package dev.lamina.device.cpu;

import static dev.lamina.device.cpu.Lanes.BYTES;
import static dev.lamina.device.cpu.Lanes.FLOATS;
import static dev.lamina.device.cpu.Memory.ALL;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import jdk.incubator.vector.FloatVector;

/** What is done to stored tiles, whatever their width. */
final class TileRows {
  private TileRows() {}

  /** Adds {@code count} floats, any number of them. */
  static void addFloats(long from, long to, int count) {
    int whole = count - count % Lanes.COUNT;
    for (int i = 0; i < whole; i += Lanes.COUNT) {
      long at = to + 4L * i;
      FloatVector sum = FloatVector.fromMemorySegment(FLOATS, ALL, at, LITTLE_ENDIAN);
      sum.add(FloatVector.fromMemorySegment(FLOATS, ALL, from + 4L * i, LITTLE_ENDIAN))
          .intoMemorySegment(ALL, at, LITTLE_ENDIAN);
    }
    for (long i = 4L * whole; i < 4L * count; i += 4) {
      Memory.set(to + i, Memory.get(to + i) + Memory.get(from + i));
    }
  }

  /** Copies rows that are {@code row} bytes apart to a dense place; {@code columns} bytes of each, whole vectors. */
  static void copy(long from, long row, int rows, long to, long columns) {
    long target = to;
    for (int r = 0; r < rows; r++) {
      for (long at = from + r * row; at < from + r * row + columns; at += BYTES) {
        FloatVector.fromMemorySegment(FLOATS, ALL, at, LITTLE_ENDIAN).intoMemorySegment(ALL, target, LITTLE_ENDIAN);
        target += BYTES;
      }
    }
  }

  /** Copies {@code count} runs of {@code floats} floats, any number of them, from one distance to another. */
  static void copyRuns(long from, long fromStep, int count, long to, long toStep, int floats) {
    int whole = floats - floats % Lanes.COUNT;
    if (whole > 0) {
      for (int run = 0; run < count; run++) {
        for (long i = 0; i < 4L * whole; i += BYTES) {
          FloatVector.fromMemorySegment(FLOATS, ALL, from + run * fromStep + i, LITTLE_ENDIAN)
              .intoMemorySegment(ALL, to + run * toStep + i, LITTLE_ENDIAN);
        }
      }
    }
    // Along the runs, which are many and short.
    int pairs = whole + (floats - whole) / 2 * 2;
    for (int i = whole; i < pairs; i += 2) {
      for (int run = 0; run < count; run++) {
        ScalarAccess.setLong(to + run * toStep + 4L * i, ScalarAccess.getLong(from + run * fromStep + 4L * i));
      }
    }
    for (int run = 0; run < count && pairs < floats; run++) {
      Memory.set(to + run * toStep + 4L * pairs, Memory.get(from + run * fromStep + 4L * pairs));
    }
  }
}
