package dev.lamina.device.cpu;

/** Writes out what a broadcast operand is for a run of elements, so that a loop can read it like a dense one. */
final class Staging {
  private Staging() {}

  /** Copies the operand's values for elements {@code at} to {@code at + count − 1} to {@code row}. */
  static void gather(MapGeometry geometry, int operand, long base, int bytes, long at, int count, long row) {
    int length = geometry.inner();
    long stride = geometry.strides()[operand][geometry.rank() - 1];
    int column = (int) (at % length);
    for (int done = 0; done < count; column = 0) {
      int run = Math.min(length - column, count - done);
      long from = base + geometry.offset(operand, at + done) * bytes;
      long to = row + (long) done * bytes;
      if (bytes == 1) {
        bytes(from, to, run, stride);
      } else {
        ints(from, to, run, 4 * stride);
      }
      done += run;
    }
  }

  /** Fills memory with what its first {@code period} bytes hold, again and again. */
  static void repeat(long row, long period, long bytes) {
    for (long done = period; done < bytes; done *= 2) {
      Memory.copy(row, row + done, Math.min(done, bytes - done));
    }
  }

  private static void ints(long from, long to, int count, long step) {
    if (step == 0) {
      repeat(ScalarAccess.getInt(from), to, count);
      return;
    }
    for (int i = 0; i < count; i++) {
      ScalarAccess.setInt(to + 4L * i, ScalarAccess.getInt(from + i * step));
    }
  }

  /** Two at a time: rows of a few channels are too short for more. */
  private static void repeat(int value, long to, int count) {
    long twice = (value & 0xffffffffL) | (long) value << 32;
    for (int i = 0; i + 1 < count; i += 2) {
      ScalarAccess.setLong(to + 4L * i, twice);
    }
    if ((count & 1) != 0) {
      ScalarAccess.setInt(to + 4L * (count - 1), value);
    }
  }

  private static void bytes(long from, long to, int count, long step) {
    for (int i = 0; i < count; i++) {
      ScalarAccess.setByte(to + i, ScalarAccess.getUnsignedByte(from + i * step));
    }
  }

  /** Writes an operand whose offset is its value. */
  static void coordinates(MapGeometry geometry, int operand, long at, int count, long row) {
    int length = geometry.inner();
    long stride = geometry.rank() == 0 ? 0 : geometry.strides()[operand][geometry.rank() - 1];
    int column = (int) (at % length);
    for (int done = 0; done < count; column = 0) {
      int run = Math.min(length - column, count - done);
      long first = geometry.offset(operand, at + done);
      for (int i = 0; i < run; i++) {
        ScalarAccess.setFloat(row + 4L * (done + i), (float) (first + i * stride));
      }
      done += run;
    }
  }
}
