package dev.lamina.device.cpu;

import static dev.lamina.device.cpu.Lanes.BYTES;
import static dev.lamina.device.cpu.Lanes.COUNT;
import static dev.lamina.device.cpu.Lanes.FLOATS;
import static dev.lamina.device.cpu.Memory.ALL;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import jdk.incubator.vector.FloatVector;

/**
 * Sums with vectors, several of them side by side: one after the other, additions into one accumulator would wait for
 * each other. A lane adds the same numbers in the same order as scalar code, so both give the same bits.
 *
 * <p>Each method is small on purpose: four pairs of sums in one were compiled without inlining everything, and made an
 * object of each vector.
 */
final class VectorChannelSums implements ChannelSums {

  @Override
  public void moments(long x, int rows, int width, long means, long deviations, long squares) {
    int c = 0;
    for (; c + 4 * COUNT <= width; c += 4 * COUNT) {
      long offset = 4L * c;
      fourMeans(x + offset, rows, 4L * width, means + offset);
      for (int half = 0; half < 2; half++) {
        twoDeviations(x + offset, rows, 4L * width, means + offset, deviations + offset, squares + offset);
        offset += 2 * BYTES;
      }
    }
    for (; c + COUNT <= width; c += COUNT) {
      long offset = 4L * c;
      one(x + offset, rows, 4L * width, means + offset, deviations + offset, squares + offset);
    }
    Scalar.moments(x, rows, width, c, means, deviations, squares);
  }

  private static void fourMeans(long x, int rows, long stride, long means) {
    FloatVector s0 = FloatVector.zero(FLOATS);
    FloatVector s1 = FloatVector.zero(FLOATS);
    FloatVector s2 = FloatVector.zero(FLOATS);
    FloatVector s3 = FloatVector.zero(FLOATS);
    long at = x;
    for (int r = 0; r < rows; r++) {
      s0 = s0.add(FloatVector.fromMemorySegment(FLOATS, ALL, at, LITTLE_ENDIAN));
      s1 = s1.add(FloatVector.fromMemorySegment(FLOATS, ALL, at + BYTES, LITTLE_ENDIAN));
      s2 = s2.add(FloatVector.fromMemorySegment(FLOATS, ALL, at + 2L * BYTES, LITTLE_ENDIAN));
      s3 = s3.add(FloatVector.fromMemorySegment(FLOATS, ALL, at + 3L * BYTES, LITTLE_ENDIAN));
      at += stride;
    }
    FloatVector count = FloatVector.broadcast(FLOATS, rows);
    s0.div(count).intoMemorySegment(ALL, means, LITTLE_ENDIAN);
    s1.div(count).intoMemorySegment(ALL, means + BYTES, LITTLE_ENDIAN);
    s2.div(count).intoMemorySegment(ALL, means + 2L * BYTES, LITTLE_ENDIAN);
    s3.div(count).intoMemorySegment(ALL, means + 3L * BYTES, LITTLE_ENDIAN);
  }

  private static void twoDeviations(long x, int rows, long stride, long means, long deviations, long squares) {
    FloatVector m0 = FloatVector.fromMemorySegment(FLOATS, ALL, means, LITTLE_ENDIAN);
    FloatVector m1 = FloatVector.fromMemorySegment(FLOATS, ALL, means + BYTES, LITTLE_ENDIAN);
    FloatVector s0 = FloatVector.zero(FLOATS);
    FloatVector q0 = FloatVector.zero(FLOATS);
    FloatVector s1 = FloatVector.zero(FLOATS);
    FloatVector q1 = FloatVector.zero(FLOATS);
    long at = x;
    for (int r = 0; r < rows; r++) {
      FloatVector d0 = FloatVector.fromMemorySegment(FLOATS, ALL, at, LITTLE_ENDIAN).sub(m0);
      FloatVector d1 = FloatVector.fromMemorySegment(FLOATS, ALL, at + BYTES, LITTLE_ENDIAN).sub(m1);
      s0 = s0.add(d0);
      q0 = d0.fma(d0, q0);
      s1 = s1.add(d1);
      q1 = d1.fma(d1, q1);
      at += stride;
    }
    s0.intoMemorySegment(ALL, deviations, LITTLE_ENDIAN);
    q0.intoMemorySegment(ALL, squares, LITTLE_ENDIAN);
    s1.intoMemorySegment(ALL, deviations + BYTES, LITTLE_ENDIAN);
    q1.intoMemorySegment(ALL, squares + BYTES, LITTLE_ENDIAN);
  }

  private static void one(long x, int rows, long stride, long means, long deviations, long squares) {
    FloatVector sum = FloatVector.zero(FLOATS);
    long at = x;
    for (int r = 0; r < rows; r++) {
      sum = sum.add(FloatVector.fromMemorySegment(FLOATS, ALL, at, LITTLE_ENDIAN));
      at += stride;
    }
    FloatVector mean = sum.div(FloatVector.broadcast(FLOATS, rows));
    FloatVector deviation = FloatVector.zero(FLOATS);
    FloatVector square = deviation;
    at = x;
    for (int r = 0; r < rows; r++) {
      FloatVector d = FloatVector.fromMemorySegment(FLOATS, ALL, at, LITTLE_ENDIAN).sub(mean);
      deviation = deviation.add(d);
      square = d.fma(d, square);
      at += stride;
    }
    mean.intoMemorySegment(ALL, means, LITTLE_ENDIAN);
    deviation.intoMemorySegment(ALL, deviations, LITTLE_ENDIAN);
    square.intoMemorySegment(ALL, squares, LITTLE_ENDIAN);
  }

  @Override
  public void gradients(long x, long dy, int rows, int width, long mean, long sums, long products) {
    int c = 0;
    for (; c + 2 * COUNT <= width; c += 2 * COUNT) {
      long offset = 4L * c;
      two(x + offset, dy + offset, rows, 4L * width, mean + offset, sums + offset, products + offset);
    }
    for (; c + COUNT <= width; c += COUNT) {
      long offset = 4L * c;
      one(x + offset, dy + offset, rows, 4L * width, mean + offset, sums + offset, products + offset);
    }
    Scalar.gradients(x, dy, rows, width, c, mean, sums, products);
  }

  private static void two(long x, long dy, int rows, long stride, long mean, long sums, long products) {
    FloatVector m0 = FloatVector.fromMemorySegment(FLOATS, ALL, mean, LITTLE_ENDIAN);
    FloatVector s0 = FloatVector.fromMemorySegment(FLOATS, ALL, sums, LITTLE_ENDIAN);
    FloatVector p0 = FloatVector.fromMemorySegment(FLOATS, ALL, products, LITTLE_ENDIAN);
    FloatVector m1 = FloatVector.fromMemorySegment(FLOATS, ALL, mean + BYTES, LITTLE_ENDIAN);
    FloatVector s1 = FloatVector.fromMemorySegment(FLOATS, ALL, sums + BYTES, LITTLE_ENDIAN);
    FloatVector p1 = FloatVector.fromMemorySegment(FLOATS, ALL, products + BYTES, LITTLE_ENDIAN);
    long at = 0;
    for (int r = 0; r < rows; r++) {
      FloatVector g0 = FloatVector.fromMemorySegment(FLOATS, ALL, dy + at, LITTLE_ENDIAN);
      FloatVector g1 = FloatVector.fromMemorySegment(FLOATS, ALL, dy + at + BYTES, LITTLE_ENDIAN);
      s0 = s0.add(g0);
      p0 = g0.fma(FloatVector.fromMemorySegment(FLOATS, ALL, x + at, LITTLE_ENDIAN).sub(m0), p0);
      s1 = s1.add(g1);
      p1 = g1.fma(FloatVector.fromMemorySegment(FLOATS, ALL, x + at + BYTES, LITTLE_ENDIAN).sub(m1), p1);
      at += stride;
    }
    s0.intoMemorySegment(ALL, sums, LITTLE_ENDIAN);
    p0.intoMemorySegment(ALL, products, LITTLE_ENDIAN);
    s1.intoMemorySegment(ALL, sums + BYTES, LITTLE_ENDIAN);
    p1.intoMemorySegment(ALL, products + BYTES, LITTLE_ENDIAN);
  }

  private static void one(long x, long dy, int rows, long stride, long mean, long sums, long products) {
    FloatVector m = FloatVector.fromMemorySegment(FLOATS, ALL, mean, LITTLE_ENDIAN);
    FloatVector sum = FloatVector.fromMemorySegment(FLOATS, ALL, sums, LITTLE_ENDIAN);
    FloatVector product = FloatVector.fromMemorySegment(FLOATS, ALL, products, LITTLE_ENDIAN);
    long at = 0;
    for (int r = 0; r < rows; r++) {
      FloatVector gradient = FloatVector.fromMemorySegment(FLOATS, ALL, dy + at, LITTLE_ENDIAN);
      sum = sum.add(gradient);
      product = gradient.fma(FloatVector.fromMemorySegment(FLOATS, ALL, x + at, LITTLE_ENDIAN).sub(m), product);
      at += stride;
    }
    sum.intoMemorySegment(ALL, sums, LITTLE_ENDIAN);
    product.intoMemorySegment(ALL, products, LITTLE_ENDIAN);
  }
}
