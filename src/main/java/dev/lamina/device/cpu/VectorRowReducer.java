package dev.lamina.device.cpu;

import dev.lamina.graph.Op.ReduceKind;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Joins floats as vectors of doubles. Four vectors are under way at once to hide the latency of an addition; lanes are
 * joined in their order at the end, by scalar code ({@code reduceLanes} has an order of its own).
 */
final class VectorRowReducer implements RowReducer {
  private static final VectorSpecies<Double> DOUBLES = VectorSpecies.of(double.class, Lanes.FLOATS.vectorShape());

  /** As many floats: half a vector. */
  private static final VectorSpecies<Float> FLOATS =
      VectorSpecies.of(float.class, VectorShape.forBitSize(DOUBLES.vectorBitSize() / 2));

  private static final int LANES = DOUBLES.length();
  private static final int UNROLLED = 4 * LANES;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private static DoubleVector load(long address) {
    FloatVector floats = FloatVector.fromMemorySegment(FLOATS, Memory.ALL, address, ORDER);
    return (DoubleVector) floats.convertShape(VectorOperators.F2D, DOUBLES, 0);
  }

  @Override
  public double row(ReduceKind kind, long address, int count, long lanes) {
    int whole = count - count % UNROLLED;
    double result = RowReducer.neutral(kind);
    if (whole > 0) {
      switch (kind) {
        case SUM -> sum(address, whole, lanes);
        case MAX -> max(address, whole, lanes);
        case MIN -> min(address, whole, lanes);
      }
      for (int i = 0; i < LANES; i++) {
        result = RowReducer.join(kind, result, ScalarAccess.getDouble(lanes + 8L * i));
      }
    }
    for (int i = whole; i < count; i++) {
      result = RowReducer.join(kind, result, ScalarAccess.getFloat(address + 4L * i));
    }
    return result;
  }

  private static void sum(long address, int count, long lanes) {
    DoubleVector a = DoubleVector.zero(DOUBLES);
    DoubleVector b = a;
    DoubleVector c = a;
    DoubleVector d = a;
    for (int i = 0; i < count; i += UNROLLED) {
      long at = address + 4L * i;
      a = a.add(load(at));
      b = b.add(load(at + 4L * LANES));
      c = c.add(load(at + 8L * LANES));
      d = d.add(load(at + 12L * LANES));
    }
    a.add(b).add(c.add(d)).intoMemorySegment(Memory.ALL, lanes, ORDER);
  }

  private static void max(long address, int count, long lanes) {
    DoubleVector a = load(address);
    DoubleVector b = load(address + 4L * LANES);
    DoubleVector c = load(address + 8L * LANES);
    DoubleVector d = load(address + 12L * LANES);
    for (int i = UNROLLED; i < count; i += UNROLLED) {
      long at = address + 4L * i;
      a = a.max(load(at));
      b = b.max(load(at + 4L * LANES));
      c = c.max(load(at + 8L * LANES));
      d = d.max(load(at + 12L * LANES));
    }
    a.max(b).max(c.max(d)).intoMemorySegment(Memory.ALL, lanes, ORDER);
  }

  private static void min(long address, int count, long lanes) {
    DoubleVector a = load(address);
    DoubleVector b = load(address + 4L * LANES);
    DoubleVector c = load(address + 8L * LANES);
    DoubleVector d = load(address + 12L * LANES);
    for (int i = UNROLLED; i < count; i += UNROLLED) {
      long at = address + 4L * i;
      a = a.min(load(at));
      b = b.min(load(at + 4L * LANES));
      c = c.min(load(at + 8L * LANES));
      d = d.min(load(at + 12L * LANES));
    }
    a.min(b).min(c.min(d)).intoMemorySegment(Memory.ALL, lanes, ORDER);
  }

  @Override
  public void columns(ReduceKind kind, long address, long accumulators, int count) {
    int whole = count - count % LANES;
    switch (kind) {
      case SUM -> sumColumns(address, accumulators, whole);
      case MAX -> maxColumns(address, accumulators, whole);
      case MIN -> minColumns(address, accumulators, whole);
    }
    for (int i = whole; i < count; i++) {
      double joined =
          RowReducer.join(kind, ScalarAccess.getDouble(accumulators + 8L * i), ScalarAccess.getFloat(address + 4L * i));
      ScalarAccess.setDouble(accumulators + 8L * i, joined);
    }
  }

  // A method each: in one with three loops the last to be called was seen to stay uncompiled, making an object of every
  // vector.

  private static void sumColumns(long address, long accumulators, int count) {
    for (int i = 0; i < count; i += LANES) {
      DoubleVector sum = accumulator(accumulators, i).add(load(address + 4L * i));
      sum.intoMemorySegment(Memory.ALL, accumulators + 8L * i, ORDER);
    }
  }

  private static void maxColumns(long address, long accumulators, int count) {
    for (int i = 0; i < count; i += LANES) {
      DoubleVector largest = accumulator(accumulators, i).max(load(address + 4L * i));
      largest.intoMemorySegment(Memory.ALL, accumulators + 8L * i, ORDER);
    }
  }

  private static void minColumns(long address, long accumulators, int count) {
    for (int i = 0; i < count; i += LANES) {
      DoubleVector smallest = accumulator(accumulators, i).min(load(address + 4L * i));
      smallest.intoMemorySegment(Memory.ALL, accumulators + 8L * i, ORDER);
    }
  }

  private static DoubleVector accumulator(long accumulators, int i) {
    return DoubleVector.fromMemorySegment(DOUBLES, Memory.ALL, accumulators + 8L * i, ORDER);
  }
}
