package dev.lamina.device.cpu;

import static dev.lamina.device.cpu.Lanes.FLOATS;
import static dev.lamina.device.cpu.Memory.ALL;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import jdk.incubator.vector.FloatVector;

/**
 * Nine rows by one vector of channels that do not see each other: each lane multiplies its own channel, so rows of A
 * are vectors too. As many loads as multiply-adds: this is as fast as the first-level cache. Nine, because the rows of
 * a filter's gradient are its taps, which are most often nine.
 */
final class DepthwiseTile implements ProductTile {
  @Override
  public int rows() {
    return 9;
  }

  @Override
  public int columns() {
    return Lanes.COUNT;
  }

  @Override
  public void run(Left left, long a, int firstRow, int rows, long b, long bRow, long c, long cRow) {
    int[] inner = left.inner();
    int last = rows - 1;
    long a0 = left.row(a, firstRow);
    long a1 = left.row(a, firstRow + Math.min(1, last));
    long a2 = left.row(a, firstRow + Math.min(2, last));
    long a3 = left.row(a, firstRow + Math.min(3, last));
    long a4 = left.row(a, firstRow + Math.min(4, last));
    long a5 = left.row(a, firstRow + Math.min(5, last));
    long a6 = left.row(a, firstRow + Math.min(6, last));
    long a7 = left.row(a, firstRow + Math.min(7, last));
    long a8 = left.row(a, firstRow + Math.min(8, last));
    long c0 = Memory.base(c);
    long c1 = Memory.base(c + Math.min(1, last) * cRow);
    long c2 = Memory.base(c + Math.min(2, last) * cRow);
    long c3 = Memory.base(c + Math.min(3, last) * cRow);
    long c4 = Memory.base(c + Math.min(4, last) * cRow);
    long c5 = Memory.base(c + Math.min(5, last) * cRow);
    long c6 = Memory.base(c + Math.min(6, last) * cRow);
    long c7 = Memory.base(c + Math.min(7, last) * cRow);
    long c8 = Memory.base(c + Math.min(8, last) * cRow);
    FloatVector zero = FloatVector.zero(FLOATS);
    FloatVector s0 = zero;
    FloatVector s1 = zero;
    FloatVector s2 = zero;
    FloatVector s3 = zero;
    FloatVector s4 = zero;
    FloatVector s5 = zero;
    FloatVector s6 = zero;
    FloatVector s7 = zero;
    FloatVector s8 = zero;
    long right = Memory.base(b);
    for (int k = 0; k < inner.length; k++) {
      long offset = Memory.offset(inner[k]);
      FloatVector b0 = FloatVector.fromMemorySegment(FLOATS, ALL, right, LITTLE_ENDIAN);
      FloatVector x0 = FloatVector.fromMemorySegment(FLOATS, ALL, a0 + offset, LITTLE_ENDIAN);
      s0 = x0.fma(b0, s0);
      FloatVector x1 = FloatVector.fromMemorySegment(FLOATS, ALL, a1 + offset, LITTLE_ENDIAN);
      s1 = x1.fma(b0, s1);
      FloatVector x2 = FloatVector.fromMemorySegment(FLOATS, ALL, a2 + offset, LITTLE_ENDIAN);
      s2 = x2.fma(b0, s2);
      FloatVector x3 = FloatVector.fromMemorySegment(FLOATS, ALL, a3 + offset, LITTLE_ENDIAN);
      s3 = x3.fma(b0, s3);
      FloatVector x4 = FloatVector.fromMemorySegment(FLOATS, ALL, a4 + offset, LITTLE_ENDIAN);
      s4 = x4.fma(b0, s4);
      FloatVector x5 = FloatVector.fromMemorySegment(FLOATS, ALL, a5 + offset, LITTLE_ENDIAN);
      s5 = x5.fma(b0, s5);
      FloatVector x6 = FloatVector.fromMemorySegment(FLOATS, ALL, a6 + offset, LITTLE_ENDIAN);
      s6 = x6.fma(b0, s6);
      FloatVector x7 = FloatVector.fromMemorySegment(FLOATS, ALL, a7 + offset, LITTLE_ENDIAN);
      s7 = x7.fma(b0, s7);
      FloatVector x8 = FloatVector.fromMemorySegment(FLOATS, ALL, a8 + offset, LITTLE_ENDIAN);
      s8 = x8.fma(b0, s8);
      right += bRow;
    }
    // A row beyond the last computed the last one again and stores the same value.
    s0.intoMemorySegment(ALL, c0, LITTLE_ENDIAN);
    s1.intoMemorySegment(ALL, c1, LITTLE_ENDIAN);
    s2.intoMemorySegment(ALL, c2, LITTLE_ENDIAN);
    s3.intoMemorySegment(ALL, c3, LITTLE_ENDIAN);
    s4.intoMemorySegment(ALL, c4, LITTLE_ENDIAN);
    s5.intoMemorySegment(ALL, c5, LITTLE_ENDIAN);
    s6.intoMemorySegment(ALL, c6, LITTLE_ENDIAN);
    s7.intoMemorySegment(ALL, c7, LITTLE_ENDIAN);
    s8.intoMemorySegment(ALL, c8, LITTLE_ENDIAN);
  }
}
