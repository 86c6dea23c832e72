package dev.lamina.device.cpu;

import static dev.lamina.device.cpu.Lanes.BYTES;
import static dev.lamina.device.cpu.Lanes.FLOATS;
import static dev.lamina.device.cpu.Memory.ALL;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import jdk.incubator.vector.FloatVector;

/**
 * Eight rows by two vectors: sixteen accumulators, enough independent additions to hide their latency, and half as many
 * loads of A as multiply-adds. All of them are local variables: a vector that crossed a call, or lay in an array, would
 * become an object; more of them than these, even in a branch, and C2 gives up on all: a version that also added to C
 * ran at a tenth of the speed.
 */
final class WideProductTile implements ProductTile {

  @Override
  public int rows() {
    return 8;
  }

  @Override
  public int columns() {
    return 2 * Lanes.COUNT;
  }

  @Override
  public void run(Left left, long a, int firstRow, int rows, long b, long c, long cRow) {
    long[] inner = left.inner();
    int last = rows - 1;
    long a0 = a + left.rows()[firstRow];
    long a1 = a + left.rows()[firstRow + Math.min(1, last)];
    long a2 = a + left.rows()[firstRow + Math.min(2, last)];
    long a3 = a + left.rows()[firstRow + Math.min(3, last)];
    long a4 = a + left.rows()[firstRow + Math.min(4, last)];
    long a5 = a + left.rows()[firstRow + Math.min(5, last)];
    long a6 = a + left.rows()[firstRow + Math.min(6, last)];
    long a7 = a + left.rows()[firstRow + Math.min(7, last)];
    long c0 = c;
    long c1 = c + Math.min(1, last) * cRow;
    long c2 = c + Math.min(2, last) * cRow;
    long c3 = c + Math.min(3, last) * cRow;
    long c4 = c + Math.min(4, last) * cRow;
    long c5 = c + Math.min(5, last) * cRow;
    long c6 = c + Math.min(6, last) * cRow;
    long c7 = c + Math.min(7, last) * cRow;
    FloatVector s0 = FloatVector.zero(FLOATS);
    FloatVector t0 = FloatVector.zero(FLOATS);
    FloatVector s1 = FloatVector.zero(FLOATS);
    FloatVector t1 = FloatVector.zero(FLOATS);
    FloatVector s2 = FloatVector.zero(FLOATS);
    FloatVector t2 = FloatVector.zero(FLOATS);
    FloatVector s3 = FloatVector.zero(FLOATS);
    FloatVector t3 = FloatVector.zero(FLOATS);
    FloatVector s4 = FloatVector.zero(FLOATS);
    FloatVector t4 = FloatVector.zero(FLOATS);
    FloatVector s5 = FloatVector.zero(FLOATS);
    FloatVector t5 = FloatVector.zero(FLOATS);
    FloatVector s6 = FloatVector.zero(FLOATS);
    FloatVector t6 = FloatVector.zero(FLOATS);
    FloatVector s7 = FloatVector.zero(FLOATS);
    FloatVector t7 = FloatVector.zero(FLOATS);
    long right = b;
    for (long offset : inner) {
      FloatVector b0 = FloatVector.fromMemorySegment(FLOATS, ALL, right, LITTLE_ENDIAN);
      FloatVector b1 = FloatVector.fromMemorySegment(FLOATS, ALL, right + BYTES, LITTLE_ENDIAN);
      FloatVector x0 = FloatVector.broadcast(FLOATS, Memory.get(a0 + offset));
      s0 = x0.fma(b0, s0);
      t0 = x0.fma(b1, t0);
      FloatVector x1 = FloatVector.broadcast(FLOATS, Memory.get(a1 + offset));
      s1 = x1.fma(b0, s1);
      t1 = x1.fma(b1, t1);
      FloatVector x2 = FloatVector.broadcast(FLOATS, Memory.get(a2 + offset));
      s2 = x2.fma(b0, s2);
      t2 = x2.fma(b1, t2);
      FloatVector x3 = FloatVector.broadcast(FLOATS, Memory.get(a3 + offset));
      s3 = x3.fma(b0, s3);
      t3 = x3.fma(b1, t3);
      FloatVector x4 = FloatVector.broadcast(FLOATS, Memory.get(a4 + offset));
      s4 = x4.fma(b0, s4);
      t4 = x4.fma(b1, t4);
      FloatVector x5 = FloatVector.broadcast(FLOATS, Memory.get(a5 + offset));
      s5 = x5.fma(b0, s5);
      t5 = x5.fma(b1, t5);
      FloatVector x6 = FloatVector.broadcast(FLOATS, Memory.get(a6 + offset));
      s6 = x6.fma(b0, s6);
      t6 = x6.fma(b1, t6);
      FloatVector x7 = FloatVector.broadcast(FLOATS, Memory.get(a7 + offset));
      s7 = x7.fma(b0, s7);
      t7 = x7.fma(b1, t7);
      right += 2 * BYTES;
    }
    // A row beyond the last computed the last one again and stores the same value.
    s0.intoMemorySegment(ALL, c0, LITTLE_ENDIAN);
    t0.intoMemorySegment(ALL, c0 + BYTES, LITTLE_ENDIAN);
    s1.intoMemorySegment(ALL, c1, LITTLE_ENDIAN);
    t1.intoMemorySegment(ALL, c1 + BYTES, LITTLE_ENDIAN);
    s2.intoMemorySegment(ALL, c2, LITTLE_ENDIAN);
    t2.intoMemorySegment(ALL, c2 + BYTES, LITTLE_ENDIAN);
    s3.intoMemorySegment(ALL, c3, LITTLE_ENDIAN);
    t3.intoMemorySegment(ALL, c3 + BYTES, LITTLE_ENDIAN);
    s4.intoMemorySegment(ALL, c4, LITTLE_ENDIAN);
    t4.intoMemorySegment(ALL, c4 + BYTES, LITTLE_ENDIAN);
    s5.intoMemorySegment(ALL, c5, LITTLE_ENDIAN);
    t5.intoMemorySegment(ALL, c5 + BYTES, LITTLE_ENDIAN);
    s6.intoMemorySegment(ALL, c6, LITTLE_ENDIAN);
    t6.intoMemorySegment(ALL, c6 + BYTES, LITTLE_ENDIAN);
    s7.intoMemorySegment(ALL, c7, LITTLE_ENDIAN);
    t7.intoMemorySegment(ALL, c7 + BYTES, LITTLE_ENDIAN);
  }
}
