package dev.lamina.device.cpu;

import static dev.lamina.device.cpu.Lanes.BYTES;
import static dev.lamina.device.cpu.Lanes.COUNT;
import static dev.lamina.device.cpu.Lanes.FLOATS;
import static dev.lamina.device.cpu.Memory.ALL;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import jdk.incubator.vector.FloatVector;

/**
 * The same loops with vectors. Their lanes are brought together as scalars, in their order, by way of memory.
 *
 * <p>What is left over goes through the simplest loops: all of these are inlined where they are used, some of them more
 * than once, and C2 stops to inline where it has seen too much, in the midst of a vector's operation if it comes so.
 */
final class VectorSoftmaxLoops extends SoftmaxLoops {
  /** Vectors that are added as floats; the sums of these are added in double. */
  private static final int STRETCH = 16;

  @Override
  float largest(long at, int count, long lanes) {
    int whole = count - count % COUNT;
    if (whole > 0) {
      // C2 makes six instructions of max, each waiting for the one before; four maxima do not wait for each other.
      FloatVector most = FloatVector.fromMemorySegment(FLOATS, ALL, at, LITTLE_ENDIAN);
      FloatVector second = most;
      FloatVector third = most;
      FloatVector fourth = most;
      int i = COUNT;
      for (; i < whole - 3 * COUNT; i += 4 * COUNT) {
        long next = at + 4L * i;
        most = most.max(FloatVector.fromMemorySegment(FLOATS, ALL, next, LITTLE_ENDIAN));
        second = second.max(FloatVector.fromMemorySegment(FLOATS, ALL, next + BYTES, LITTLE_ENDIAN));
        third = third.max(FloatVector.fromMemorySegment(FLOATS, ALL, next + 2 * BYTES, LITTLE_ENDIAN));
        fourth = fourth.max(FloatVector.fromMemorySegment(FLOATS, ALL, next + 3 * BYTES, LITTLE_ENDIAN));
      }
      most = most.max(second).max(third.max(fourth));
      for (; i < whole; i += COUNT) {
        most = most.max(FloatVector.fromMemorySegment(FLOATS, ALL, at + 4L * i, LITTLE_ENDIAN));
      }
      most.intoMemorySegment(ALL, lanes, LITTLE_ENDIAN);
    }
    float largest = Memory.get(whole > 0 ? lanes : at);
    int stored = whole > 0 ? COUNT : 0;
    for (int i = 0; i < stored + count - whole; i++) {
      largest = larger(largest, Memory.get(i < stored ? lanes + 4L * i : at + 4L * (whole + i - stored)));
    }
    return largest;
  }

  @Override
  double sum(long at, int count, long lanes) {
    int whole = count - count % COUNT;
    double sum = 0;
    for (int first = 0; first < whole; first += STRETCH * COUNT) {
      int last = Math.min(whole, first + STRETCH * COUNT);
      FloatVector part = FloatVector.zero(FLOATS);
      for (int i = first; i < last; i += COUNT) {
        part = part.add(FloatVector.fromMemorySegment(FLOATS, ALL, at + 4L * i, LITTLE_ENDIAN));
      }
      part.intoMemorySegment(ALL, lanes, LITTLE_ENDIAN);
      for (int i = 0; i < COUNT; i++) {
        sum += Memory.get(lanes + 4L * i);
      }
    }
    for (int i = whole; i < count; i++) {
      sum += Memory.get(at + 4L * i);
    }
    return sum;
  }

  @Override
  void scale(long from, int count, float factor, float offset, long to) {
    int whole = count - count % COUNT;
    FloatVector factors = FloatVector.broadcast(FLOATS, factor);
    FloatVector offsets = FloatVector.broadcast(FLOATS, offset);
    for (long i = 0; i < 4L * whole; i += BYTES) {
      FloatVector.fromMemorySegment(FLOATS, ALL, from + i, LITTLE_ENDIAN)
          .fma(factors, offsets)
          .intoMemorySegment(ALL, to + i, LITTLE_ENDIAN);
    }
    super.scale(from + 4L * whole, count - whole, factor, offset, to + 4L * whole);
  }
}
