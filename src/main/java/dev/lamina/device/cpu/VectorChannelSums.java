package dev.lamina.device.cpu;

import static dev.lamina.device.cpu.Lanes.BYTES;
import static dev.lamina.device.cpu.Lanes.COUNT;
import static dev.lamina.device.cpu.Lanes.FLOATS;
import static dev.lamina.device.cpu.Memory.ALL;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import jdk.incubator.vector.FloatVector;

/**
 * Sums with vectors, four of them side by side while there are as many columns: one after the other, additions into one
 * accumulator would wait for each other. A lane adds the same numbers in the same order as scalar code, so both give
 * the same bits.
 */
final class VectorChannelSums implements ChannelSums {

  @Override
  public void moments(long x, int rows, int width, long means, long deviations, long squares) {
    int c = 0;
    for (; c + 4 * COUNT <= width; c += 4 * COUNT) {
      long offset = 4L * c;
      four(x + offset, rows, 4L * width, means + offset, deviations + offset, squares + offset);
    }
    for (; c + COUNT <= width; c += COUNT) {
      long offset = 4L * c;
      one(x + offset, rows, 4L * width, means + offset, deviations + offset, squares + offset);
    }
    Scalar.moments(x, rows, width, c, means, deviations, squares);
  }

  private static void four(long x, int rows, long stride, long means, long deviations, long squares) {
    FloatVector s0 = FloatVector.zero(FLOATS);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    long at = x;
    for (int r = 0; r < rows; r++) {
      s0 = s0.add(FloatVector.fromMemorySegment(FLOATS, ALL, at, LITTLE_ENDIAN));
      s1 = s1.add(FloatVector.fromMemorySegment(FLOATS, ALL, at + BYTES, LITTLE_ENDIAN));
      s2 = s2.add(FloatVector.fromMemorySegment(FLOATS, ALL, at + 2L * BYTES, LITTLE_ENDIAN));
      s3 = s3.add(FloatVector.fromMemorySegment(FLOATS, ALL, at + 3L * BYTES, LITTLE_ENDIAN));
      at += stride;
    }
    FloatVector count = FloatVector.broadcast(FLOATS, rows);
    FloatVector m0 = s0.div(count);
    FloatVector m1 = s1.div(count);
    FloatVector m2 = s2.div(count);
    FloatVector m3 = s3.div(count);
    FloatVector zero = FloatVector.zero(FLOATS);
    s0 = zero;
    s1 = zero;
    s2 = zero;
    s3 = zero;
    FloatVector q0 = zero;
    FloatVector q1 = zero;
    FloatVector q2 = zero;
    FloatVector q3 = zero;
    at = x;
    for (int r = 0; r < rows; r++) {
      FloatVector d0 = FloatVector.fromMemorySegment(FLOATS, ALL, at, LITTLE_ENDIAN).sub(m0);
      FloatVector d1 = FloatVector.fromMemorySegment(FLOATS, ALL, at + BYTES, LITTLE_ENDIAN).sub(m1);
      FloatVector d2 = FloatVector.fromMemorySegment(FLOATS, ALL, at + 2L * BYTES, LITTLE_ENDIAN).sub(m2);
      FloatVector d3 = FloatVector.fromMemorySegment(FLOATS, ALL, at + 3L * BYTES, LITTLE_ENDIAN).sub(m3);
      s0 = s0.add(d0);
      s1 = s1.add(d1);
      s2 = s2.add(d2);
      s3 = s3.add(d3);
      q0 = d0.fma(d0, q0);
      q1 = d1.fma(d1, q1);
      q2 = d2.fma(d2, q2);
      q3 = d3.fma(d3, q3);
      at += stride;
    }
    m0.intoMemorySegment(ALL, means, LITTLE_ENDIAN);
    m1.intoMemorySegment(ALL, means + BYTES, LITTLE_ENDIAN);
    m2.intoMemorySegment(ALL, means + 2L * BYTES, LITTLE_ENDIAN);
    m3.intoMemorySegment(ALL, means + 3L * BYTES, LITTLE_ENDIAN);
    s0.intoMemorySegment(ALL, deviations, LITTLE_ENDIAN);
    s1.intoMemorySegment(ALL, deviations + BYTES, LITTLE_ENDIAN);
    s2.intoMemorySegment(ALL, deviations + 2L * BYTES, LITTLE_ENDIAN);
    s3.intoMemorySegment(ALL, deviations + 3L * BYTES, LITTLE_ENDIAN);
    q0.intoMemorySegment(ALL, squares, LITTLE_ENDIAN);
    q1.intoMemorySegment(ALL, squares + BYTES, LITTLE_ENDIAN);
    q2.intoMemorySegment(ALL, squares + 2L * BYTES, LITTLE_ENDIAN);
    q3.intoMemorySegment(ALL, squares + 3L * BYTES, LITTLE_ENDIAN);
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
    for (; c + 4 * COUNT <= width; c += 4 * COUNT) {
      long offset = 4L * c;
      four(x + offset, dy + offset, rows, 4L * width, mean + offset, sums + offset, products + offset);
    }
    for (; c + COUNT <= width; c += COUNT) {
      long offset = 4L * c;
      one(x + offset, dy + offset, rows, 4L * width, mean + offset, sums + offset, products + offset);
    }
    Scalar.gradients(x, dy, rows, width, c, mean, sums, products);
  }

  private static void four(long x, long dy, int rows, long stride, long mean, long sums, long products) {
    FloatVector m0 = FloatVector.fromMemorySegment(FLOATS, ALL, mean, LITTLE_ENDIAN);
    FloatVector m1 = FloatVector.fromMemorySegment(FLOATS, ALL, mean + BYTES, LITTLE_ENDIAN);
    FloatVector m2 = FloatVector.fromMemorySegment(FLOATS, ALL, mean + 2L * BYTES, LITTLE_ENDIAN);
    FloatVector m3 = FloatVector.fromMemorySegment(FLOATS, ALL, mean + 3L * BYTES, LITTLE_ENDIAN);
    FloatVector s0 = FloatVector.fromMemorySegment(FLOATS, ALL, sums, LITTLE_ENDIAN);
    FloatVector s1 = FloatVector.fromMemorySegment(FLOATS, ALL, sums + BYTES, LITTLE_ENDIAN);
    FloatVector s2 = FloatVector.fromMemorySegment(FLOATS, ALL, sums + 2L * BYTES, LITTLE_ENDIAN);
    FloatVector s3 = FloatVector.fromMemorySegment(FLOATS, ALL, sums + 3L * BYTES, LITTLE_ENDIAN);
    FloatVector p0 = FloatVector.fromMemorySegment(FLOATS, ALL, products, LITTLE_ENDIAN);
    FloatVector p1 = FloatVector.fromMemorySegment(FLOATS, ALL, products + BYTES, LITTLE_ENDIAN);
    FloatVector p2 = FloatVector.fromMemorySegment(FLOATS, ALL, products + 2L * BYTES, LITTLE_ENDIAN);
    FloatVector p3 = FloatVector.fromMemorySegment(FLOATS, ALL, products + 3L * BYTES, LITTLE_ENDIAN);
    long at = 0;
    for (int r = 0; r < rows; r++) {
      FloatVector g0 = FloatVector.fromMemorySegment(FLOATS, ALL, dy + at, LITTLE_ENDIAN);
      FloatVector g1 = FloatVector.fromMemorySegment(FLOATS, ALL, dy + at + BYTES, LITTLE_ENDIAN);
      FloatVector g2 = FloatVector.fromMemorySegment(FLOATS, ALL, dy + at + 2L * BYTES, LITTLE_ENDIAN);
      FloatVector g3 = FloatVector.fromMemorySegment(FLOATS, ALL, dy + at + 3L * BYTES, LITTLE_ENDIAN);
      s0 = s0.add(g0);
      s1 = s1.add(g1);
      s2 = s2.add(g2);
      s3 = s3.add(g3);
      p0 = g0.fma(FloatVector.fromMemorySegment(FLOATS, ALL, x + at, LITTLE_ENDIAN).sub(m0), p0);
      p1 = g1.fma(FloatVector.fromMemorySegment(FLOATS, ALL, x + at + BYTES, LITTLE_ENDIAN).sub(m1), p1);
      p2 = g2.fma(FloatVector.fromMemorySegment(FLOATS, ALL, x + at + 2L * BYTES, LITTLE_ENDIAN).sub(m2), p2);
      p3 = g3.fma(FloatVector.fromMemorySegment(FLOATS, ALL, x + at + 3L * BYTES, LITTLE_ENDIAN).sub(m3), p3);
      at += stride;
    }
    s0.intoMemorySegment(ALL, sums, LITTLE_ENDIAN);
    s1.intoMemorySegment(ALL, sums + BYTES, LITTLE_ENDIAN);
    s2.intoMemorySegment(ALL, sums + 2L * BYTES, LITTLE_ENDIAN);
    s3.intoMemorySegment(ALL, sums + 3L * BYTES, LITTLE_ENDIAN);
    p0.intoMemorySegment(ALL, products, LITTLE_ENDIAN);
    p1.intoMemorySegment(ALL, products + BYTES, LITTLE_ENDIAN);
    p2.intoMemorySegment(ALL, products + 2L * BYTES, LITTLE_ENDIAN);
    p3.intoMemorySegment(ALL, products + 3L * BYTES, LITTLE_ENDIAN);
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
