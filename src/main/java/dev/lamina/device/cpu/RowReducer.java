package dev.lamina.device.cpu;

import dev.lamina.graph.Op.ReduceKind;

/**
 * Joins values that lie one behind the other, all of them or column by column, in double or almost as well: the sum of
 * millions is then right to the last bit of a float.
 *
 * <p>No vectors of doubles: half as many of them as of floats fill one, so that vectors would have to be of two widths.
 * A second width of floats in the process makes C2 look at the class of a vector, and so make an object of it, in loops
 * that have nothing to do with this one.
 */
interface RowReducer {

  /** What {@link #row} and {@link #end} may write on, in bytes. */
  long SCRATCH_BYTES = CompensatedSums.BYTES;

  /**
   * Joins {@code count} values.
   *
   * @param scratch of {@link #SCRATCH_BYTES}
   */
  double row(ReduceKind kind, long address, int count, long scratch);

  /** The accumulators of so many columns, in bytes. */
  static long accumulatorBytes(int columns) {
    return Memory.aligned(CompensatedSums.bytes(columns));
  }

  /** Makes accumulators that have joined nothing; what they are is the reducer's own until their {@link #end}. */
  default void begin(ReduceKind kind, long accumulators, int columns) {
    double neutral = neutral(kind);
    for (int i = 0; i < columns; i++) {
      ScalarAccess.setDouble(accumulators + 8L * i, neutral);
    }
  }

  /** Joins value i with accumulator i. In float, a sum that on its way is too large for one is infinite. */
  void columns(ReduceKind kind, long address, int count, long accumulators);

  /**
   * Makes doubles of the accumulators, one behind the other.
   *
   * @param scratch of {@link #SCRATCH_BYTES}
   */
  default void end(ReduceKind kind, long accumulators, int columns, long scratch) {}

  /** What joins with anything without changing it. */
  static double neutral(ReduceKind kind) {
    return switch (kind) {
      case SUM -> 0;
      case MAX -> Double.NEGATIVE_INFINITY;
      case MIN -> Double.POSITIVE_INFINITY;
    };
  }

  static double join(ReduceKind kind, double a, double b) {
    return switch (kind) {
      case SUM -> a + b;
      case MAX -> Math.max(a, b);
      case MIN -> Math.min(a, b);
    };
  }

  /** Values that are floats. */
  final class Floats implements RowReducer {
    /** Values that pay for adding up {@link CompensatedSums#SUMS} sums. */
    private static final int FEWEST_FOR_VECTORS = 8 * CompensatedSums.SUMS;

    private final boolean vectors;

    /** With vectors or without. */
    Floats(boolean vectors) {
      this.vectors = vectors;
    }

    @Override
    public double row(ReduceKind kind, long address, int count, long scratch) {
      return switch (kind) {
        case SUM -> vectors && count >= FEWEST_FOR_VECTORS ? sum(address, count, scratch) : sum(address, count);
        case MAX -> extreme(true, address, count);
        case MIN -> extreme(false, address, count);
      };
    }

    /**
     * Largest or smallest. Floats are compared by whole numbers of the same order: C2 makes a jump of a maximum of
     * floats, which goes either way where many are equal.
     */
    private static double extreme(boolean largest, long address, int count) {
      if (count == 0) {
        return neutral(largest ? ReduceKind.MAX : ReduceKind.MIN);
      }
      int least = Integer.MAX_VALUE;
      int most = Integer.MIN_VALUE;
      int whole = count & -4;
      for (int i = 0; i < whole; i += 4) {
        long at = address + 4L * i;
        int a = order(ScalarAccess.getInt(at));
        int b = order(ScalarAccess.getInt(at + 4));
        int c = order(ScalarAccess.getInt(at + 8));
        int d = order(ScalarAccess.getInt(at + 12));
        least = Math.min(least, Math.min(Math.min(a, b), Math.min(c, d)));
        most = Math.max(most, Math.max(Math.max(a, b), Math.max(c, d)));
      }
      for (int i = whole; i < count; i++) {
        int order = order(ScalarAccess.getInt(address + 4L * i));
        least = Math.min(least, order);
        most = Math.max(most, order);
      }
      int infinite = order(Float.floatToRawIntBits(Float.POSITIVE_INFINITY));
      if (most > infinite || least < ~infinite) {
        return Double.NaN;
      }
      return Float.intBitsToFloat(order(largest ? most : least));
    }

    /** From the bits of a float to a number of the same order, and back: NaN lies beyond the infinities. */
    private static int order(int bits) {
      return bits ^ (bits >> 31 & Integer.MAX_VALUE);
    }

    private static double sum(long address, int count, long scratch) {
      int whole = count - count % CompensatedSums.SUMS;
      CompensatedSums.add(address, whole, scratch);
      double sum = sum(scratch, 2 * CompensatedSums.SUMS) + sum(address + 4L * whole, count - whole);
      // Something was infinite or NaN, or is larger than a float can be.
      return Double.isNaN(sum) ? sum(address, count) : sum;
    }

    /** Eight sums side by side: one alone would wait four cycles for each addition. */
    private static double sum(long address, int count) {
      double a = 0;
      double b = 0;
      double c = 0;
      double d = 0;
      double e = 0;
      double f = 0;
      double g = 0;
      double h = 0;
      int whole = count & -8;
      for (int i = 0; i < whole; i += 8) {
        long at = address + 4L * i;
        a += ScalarAccess.getFloat(at);
        b += ScalarAccess.getFloat(at + 4);
        c += ScalarAccess.getFloat(at + 8);
        d += ScalarAccess.getFloat(at + 12);
        e += ScalarAccess.getFloat(at + 16);
        f += ScalarAccess.getFloat(at + 20);
        g += ScalarAccess.getFloat(at + 24);
        h += ScalarAccess.getFloat(at + 28);
      }
      for (int i = whole; i < count; i++) {
        a += ScalarAccess.getFloat(address + 4L * i);
      }
      return ((a + b) + (c + d)) + ((e + f) + (g + h));
    }

    @Override
    public void begin(ReduceKind kind, long accumulators, int columns) {
      if (inVectors(kind)) {
        Memory.clear(accumulators, CompensatedSums.bytes(columns));
      } else {
        RowReducer.super.begin(kind, accumulators, columns);
      }
    }

    @Override
    public void columns(ReduceKind kind, long address, int count, long accumulators) {
      if (inVectors(kind)) {
        CompensatedSums.addEach(address, count, accumulators);
        return;
      }
      if (kind == ReduceKind.SUM) {
        for (int i = 0; i < count; i++) {
          long sum = accumulators + 8L * i;
          ScalarAccess.setDouble(sum, ScalarAccess.getDouble(sum) + ScalarAccess.getFloat(address + 4L * i));
        }
        return;
      }
      for (int i = 0; i < count; i++) {
        double joined =
            join(kind, ScalarAccess.getDouble(accumulators + 8L * i), ScalarAccess.getFloat(address + 4L * i));
        ScalarAccess.setDouble(accumulators + 8L * i, joined);
      }
    }

    @Override
    public void end(ReduceKind kind, long accumulators, int columns, long scratch) {
      if (inVectors(kind)) {
        CompensatedSums.toDoubles(accumulators, columns, scratch);
      }
    }

    private boolean inVectors(ReduceKind kind) {
      return vectors && kind == ReduceKind.SUM;
    }
  }

  /** Values that are doubles. */
  final class Doubles implements RowReducer {
    @Override
    public double row(ReduceKind kind, long address, int count, long scratch) {
      double result = neutral(kind);
      for (int i = 0; i < count; i++) {
        result = join(kind, result, ScalarAccess.getDouble(address + 8L * i));
      }
      return result;
    }

    @Override
    public void columns(ReduceKind kind, long address, int count, long accumulators) {
      for (int i = 0; i < count; i++) {
        double joined =
            join(kind, ScalarAccess.getDouble(accumulators + 8L * i), ScalarAccess.getDouble(address + 8L * i));
        ScalarAccess.setDouble(accumulators + 8L * i, joined);
      }
    }
  }
}
