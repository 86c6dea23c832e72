package dev.lamina.device.cpu;

import static dev.lamina.device.cpu.Lanes.COUNT;
import static dev.lamina.device.cpu.Lanes.FLOATS;
import static dev.lamina.device.cpu.Memory.ALL;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import jdk.incubator.vector.FloatVector;

/**
 * Sums of floats that are almost as good as sums in double, without vectors of doubles (for which see {@link
 * RowReducer}): beside each sum is added up what rounding took from it, exactly (the error-free transformation TwoSum;
 * Knuth, The Art of Computer Programming 2, 4.2.2, theorem B). Six operations for a vector of floats, instead of two
 * for each of them.
 */
final class CompensatedSums {
  /** Sums side by side, as many for vectors of any width: the bits do not depend on it. */
  static final int SUMS = 32;

  /** What {@link #add} leaves, in bytes. */
  static final long BYTES = 2 * 4L * SUMS;

  /** Sums that lie side by side, what rounding took from them behind them: as many as fill the widest vector. */
  static final int BLOCK = SUMS / 2;

  private CompensatedSums() {}

  /**
   * Adds up every {@link #SUMS}th value.
   *
   * @param count a multiple of {@link #SUMS}
   * @param sums gets {@link #SUMS} floats and behind them as many that have to be added; where a sum is not finite, the
   *     latter is NaN
   */
  static void add(long address, int count, long sums) {
    for (long i = 0; i < 4L * BLOCK; i += 4L * COUNT) {
      pass(address + i, count, sums + i);
    }
  }

  private static void pass(long address, int count, long sums) {
    FloatVector s0 = FloatVector.zero(FLOATS);
    FloatVector s1 = FloatVector.zero(FLOATS);
    FloatVector e0 = FloatVector.zero(FLOATS);
    FloatVector e1 = FloatVector.zero(FLOATS);
    for (int i = 0; i < count; i += SUMS) {
      long at = address + 4L * i;
      FloatVector x0 = FloatVector.fromMemorySegment(FLOATS, ALL, at, LITTLE_ENDIAN);
      FloatVector x1 = FloatVector.fromMemorySegment(FLOATS, ALL, at + 4L * BLOCK, LITTLE_ENDIAN);
      FloatVector next0 = s0.add(x0);
      FloatVector next1 = s1.add(x1);
      FloatVector added0 = next0.sub(s0);
      FloatVector added1 = next1.sub(s1);
      e0 = e0.add(s0.sub(next0.sub(added0)).add(x0.sub(added0)));
      e1 = e1.add(s1.sub(next1.sub(added1)).add(x1.sub(added1)));
      s0 = next0;
      s1 = next1;
    }
    s0.intoMemorySegment(ALL, sums, LITTLE_ENDIAN);
    s1.intoMemorySegment(ALL, sums + 4L * BLOCK, LITTLE_ENDIAN);
    e0.intoMemorySegment(ALL, sums + 4L * SUMS, LITTLE_ENDIAN);
    e1.intoMemorySegment(ALL, sums + 4L * (SUMS + BLOCK), LITTLE_ENDIAN);
  }

  /** Memory for so many sums of {@link #addEach}, in bytes: as much as for doubles. */
  static long bytes(int sums) {
    return 8L * Math.ceilDiv(sums, BLOCK) * BLOCK;
  }

  /**
   * Adds each value to a sum of its own.
   *
   * @param sums blocks of {@link #BLOCK} sums and as many floats that have to be added; where a sum is not finite, the
   *     latter is NaN
   */
  static void addEach(long address, int count, long sums) {
    int whole = count - count % COUNT;
    for (int i = 0; i < whole; i += COUNT) {
      long at = place(sums, i);
      FloatVector x = FloatVector.fromMemorySegment(FLOATS, ALL, address + 4L * i, LITTLE_ENDIAN);
      FloatVector sum = FloatVector.fromMemorySegment(FLOATS, ALL, at, LITTLE_ENDIAN);
      FloatVector error = FloatVector.fromMemorySegment(FLOATS, ALL, at + 4L * BLOCK, LITTLE_ENDIAN);
      FloatVector next = sum.add(x);
      FloatVector added = next.sub(sum);
      next.intoMemorySegment(ALL, at, LITTLE_ENDIAN);
      error.add(sum.sub(next.sub(added)).add(x.sub(added))).intoMemorySegment(ALL, at + 4L * BLOCK, LITTLE_ENDIAN);
    }
    for (int i = whole; i < count; i++) {
      addOne(Memory.get(address + 4L * i), place(sums, i));
    }
  }

  /** Adds a value to a sum of {@link #addEach}, wherever it lies; without the Vector API, too. */
  static void addOne(float x, long place) {
    float sum = ScalarAccess.getFloat(place);
    float next = sum + x;
    float added = next - sum;
    ScalarAccess.setFloat(place, next);
    long error = place + 4L * BLOCK;
    ScalarAccess.setFloat(error, ScalarAccess.getFloat(error) + ((sum - (next - added)) + (x - added)));
  }

  /** Where the sum of the i-th value lies. */
  private static long place(long sums, int i) {
    return sums + 8L * (i & -BLOCK) + 4L * (i & BLOCK - 1);
  }

  /**
   * Makes doubles of the sums of {@link #addEach}, in their place. What is not finite stays so.
   *
   * @param scratch of {@link #BYTES}
   */
  static void toDoubles(long sums, int count, long scratch) {
    for (int first = 0; first < count; first += BLOCK) {
      Memory.copy(sums + 8L * first, scratch, 8L * BLOCK);
      for (int i = 0; i < BLOCK; i++) {
        float sum = Memory.get(scratch + 4L * i);
        double all = Float.isFinite(sum) ? (double) sum + Memory.get(scratch + 4L * (BLOCK + i)) : sum;
        ScalarAccess.setDouble(sums + 8L * (first + i), all);
      }
    }
  }
}
