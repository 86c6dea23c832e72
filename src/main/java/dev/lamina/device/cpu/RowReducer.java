package dev.lamina.device.cpu;

import dev.lamina.graph.Op.ReduceKind;

/**
 * Joins floats that lie one behind the other, in double: the sum of millions is then right to the last bit of a float.
 */
interface RowReducer {

  /** Joins {@code count} values; {@code lanes} is scratch for a few vectors. */
  double row(ReduceKind kind, long address, int count, long lanes);

  /** Joins value i with the double at {@code accumulators} + 8·i. */
  void columns(ReduceKind kind, long address, long accumulators, int count);

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

  /** Values that are floats, one at a time. */
  final class Floats implements RowReducer {
    @Override
    public double row(ReduceKind kind, long address, int count, long lanes) {
      double result = neutral(kind);
      for (int i = 0; i < count; i++) {
        result = join(kind, result, ScalarAccess.getFloat(address + 4L * i));
      }
      return result;
    }

    @Override
    public void columns(ReduceKind kind, long address, long accumulators, int count) {
      for (int i = 0; i < count; i++) {
        double joined =
            join(kind, ScalarAccess.getDouble(accumulators + 8L * i), ScalarAccess.getFloat(address + 4L * i));
        ScalarAccess.setDouble(accumulators + 8L * i, joined);
      }
    }
  }

  /** Values that are doubles, one at a time. */
  final class Doubles implements RowReducer {
    @Override
    public double row(ReduceKind kind, long address, int count, long lanes) {
      double result = neutral(kind);
      for (int i = 0; i < count; i++) {
        result = join(kind, result, ScalarAccess.getDouble(address + 8L * i));
      }
      return result;
    }

    @Override
    public void columns(ReduceKind kind, long address, long accumulators, int count) {
      for (int i = 0; i < count; i++) {
        double joined =
            join(kind, ScalarAccess.getDouble(accumulators + 8L * i), ScalarAccess.getDouble(address + 8L * i));
        ScalarAccess.setDouble(accumulators + 8L * i, joined);
      }
    }
  }
}
