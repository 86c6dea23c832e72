package dev.lamina.device.cpu;

import java.lang.foreign.Arena;

/** What one thread needs beside a map's own memory; every map of a device uses the same. */
final class MapScratch {
  /** Elements of a staged block: 4 KiB of floats, so that a handful of operands stay in the first-level cache. */
  static final int BLOCK = 1024;

  /** A row holds a block, up to three random words in front of it and the rest of a vector of blocks behind it. */
  static final long ROW_BYTES = 4L * (BLOCK + 64);

  /** Addresses and row steps as {@link MapBody} wants them. */
  private long[] frame = new long[16];

  private final Arena arena = Arena.ofAuto();
  private final long values = arena.allocate(8L * BLOCK, Memory.ALIGNMENT).address();
  private final long sums = arena.allocate(RowReducer.SCRATCH_BYTES, Memory.ALIGNMENT).address();
  private long rows;
  private int rowCount;

  /** The address of a block of doubles, for values on the way to a reduction. */
  long values() {
    return values;
  }

  /** The address of {@link RowReducer#SCRATCH_BYTES}. */
  long sums() {
    return sums;
  }

  /** A frame for {@code pointers} pointers. */
  long[] frame(int pointers) {
    if (frame.length < 2 * pointers) {
      frame = new long[2 * pointers];
    }
    return frame;
  }

  /** The address of {@code count} rows of {@link #ROW_BYTES}. */
  long rows(int count) {
    if (rowCount < count) {
      rowCount = Math.max(count, 8);
      rows = arena.allocate(rowCount * ROW_BYTES, Memory.ALIGNMENT).address();
    }
    return rows;
  }
}
