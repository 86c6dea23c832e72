package dev.lamina.device.cpu;

import static dev.lamina.device.cpu.Lanes.BYTES;
import static dev.lamina.device.cpu.Lanes.FLOATS;
import static dev.lamina.device.cpu.Memory.ALL;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import jdk.incubator.vector.FloatVector;

/**
 * The transforms of Winograd's F(4×4, 3×3) along one dimension, with vectors of channels (Lavin and Gray 2015, section
 * 4). Each is done for the columns of a tile first and then for its rows.
 *
 * <p>Polynomials are evaluated at 0, ±3/4, ±3/2 and infinity. The usual 0, ±1, ±2 would cost as much, and err four
 * times as much: powers of numbers on both sides of 1 stay closer together. All of these have an exact square.
 */
final class WinogradTiles {
  /** Pixels of a result's tile along one dimension. */
  static final int SIZE = 4;

  /** Values along one dimension of a transformed tile, and pixels of a source's tile. */
  static final int POINTS = 6;

  /** Values of a transformed tile. */
  static final int VALUES = POINTS * POINTS;

  private static final float A = 0.75f;
  private static final float B = 1.5f;
  private static final float A2 = A * A;
  private static final float B2 = B * B;

  /** What Lagrange's polynomials are divided by at 0, ±{@link #A} and ±{@link #B}. */
  private static final float AT_0 = 1 / (A2 * B2);

  private static final float AT_A = 1 / (2 * A2 * (A2 - B2));
  private static final float AT_B = 1 / (2 * B2 * (B2 - A2));

  private WinogradTiles() {}

  /**
   * Where channels lie: {@code count} runs of {@code bytes} bytes, whole vectors, {@code from} bytes apart where they
   * are read and {@code to} where they are written.
   */
  record Runs(int count, long bytes, long from, long to) {
    /** One run. */
    static Runs one(long bytes) {
      return new Runs(1, bytes, bytes, bytes);
    }

    /** Written side by side. */
    static Runs gather(int count, long bytes, long from) {
      return new Runs(count, bytes, from, bytes);
    }

    /** Read side by side. */
    static Runs scatter(int count, long bytes, long to) {
      return new Runs(count, bytes, bytes, to);
    }
  }

  /** {@code Bᵀ·d}: six pixels of the source to six values, which are written {@code step} bytes apart. */
  static void source(long d0, long d1, long d2, long d3, long d4, long d5, Runs runs, long to, long step) {
    FloatVector minusA2 = FloatVector.broadcast(FLOATS, -A2);
    FloatVector minusB2 = FloatVector.broadcast(FLOATS, -B2);
    FloatVector minusSum = FloatVector.broadcast(FLOATS, -(A2 + B2));
    FloatVector product = FloatVector.broadcast(FLOATS, A2 * B2);
    FloatVector a = FloatVector.broadcast(FLOATS, A);
    FloatVector b = FloatVector.broadcast(FLOATS, B);
    FloatVector minusA = FloatVector.broadcast(FLOATS, -A);
    FloatVector minusB = FloatVector.broadcast(FLOATS, -B);
    long bytes = runs.bytes();
    long all = runs.count() * bytes;
    long left = bytes;
    long in = 0;
    long out = to;
    for (long done = 0; done < all; done += BYTES) {
      FloatVector x0 = FloatVector.fromMemorySegment(FLOATS, ALL, d0 + in, LITTLE_ENDIAN);
      FloatVector x1 = FloatVector.fromMemorySegment(FLOATS, ALL, d1 + in, LITTLE_ENDIAN);
      FloatVector x2 = FloatVector.fromMemorySegment(FLOATS, ALL, d2 + in, LITTLE_ENDIAN);
      FloatVector x3 = FloatVector.fromMemorySegment(FLOATS, ALL, d3 + in, LITTLE_ENDIAN);
      FloatVector x4 = FloatVector.fromMemorySegment(FLOATS, ALL, d4 + in, LITTLE_ENDIAN);
      FloatVector x5 = FloatVector.fromMemorySegment(FLOATS, ALL, d5 + in, LITTLE_ENDIAN);
      FloatVector evenA = x2.fma(minusB2, x4);
      FloatVector oddA = x1.fma(minusB2, x3);
      FloatVector evenB = x2.fma(minusA2, x4);
      FloatVector oddB = x1.fma(minusA2, x3);
      x0.fma(product, x2.fma(minusSum, x4)).intoMemorySegment(ALL, out, LITTLE_ENDIAN);
      oddA.fma(a, evenA).intoMemorySegment(ALL, out + step, LITTLE_ENDIAN);
      oddA.fma(minusA, evenA).intoMemorySegment(ALL, out + 2 * step, LITTLE_ENDIAN);
      oddB.fma(b, evenB).intoMemorySegment(ALL, out + 3 * step, LITTLE_ENDIAN);
      oddB.fma(minusB, evenB).intoMemorySegment(ALL, out + 4 * step, LITTLE_ENDIAN);
      x1.fma(product, x3.fma(minusSum, x5)).intoMemorySegment(ALL, out + 5 * step, LITTLE_ENDIAN);
      in += BYTES;
      out += BYTES;
      left -= BYTES;
      if (left == 0) {
        left = bytes;
        in += runs.from() - bytes;
        out += runs.to() - bytes;
      }
    }
  }

  /** {@code Aᵀ·m}: six values, {@code step} bytes apart, to four pixels of the result. */
  static void result(long m, long step, Runs runs, long y0, long y1, long y2, long y3) {
    FloatVector a = FloatVector.broadcast(FLOATS, A);
    FloatVector b = FloatVector.broadcast(FLOATS, B);
    FloatVector a2 = FloatVector.broadcast(FLOATS, A2);
    FloatVector b2 = FloatVector.broadcast(FLOATS, B2);
    FloatVector a3 = FloatVector.broadcast(FLOATS, A2 * A);
    FloatVector b3 = FloatVector.broadcast(FLOATS, B2 * B);
    long bytes = runs.bytes();
    long all = runs.count() * bytes;
    long left = bytes;
    long in = m;
    long out = 0;
    for (long done = 0; done < all; done += BYTES) {
      FloatVector m0 = FloatVector.fromMemorySegment(FLOATS, ALL, in, LITTLE_ENDIAN);
      FloatVector m1 = FloatVector.fromMemorySegment(FLOATS, ALL, in + step, LITTLE_ENDIAN);
      FloatVector m2 = FloatVector.fromMemorySegment(FLOATS, ALL, in + 2 * step, LITTLE_ENDIAN);
      FloatVector m3 = FloatVector.fromMemorySegment(FLOATS, ALL, in + 3 * step, LITTLE_ENDIAN);
      FloatVector m4 = FloatVector.fromMemorySegment(FLOATS, ALL, in + 4 * step, LITTLE_ENDIAN);
      FloatVector m5 = FloatVector.fromMemorySegment(FLOATS, ALL, in + 5 * step, LITTLE_ENDIAN);
      FloatVector evenA = m1.add(m2);
      FloatVector oddA = m1.sub(m2);
      FloatVector evenB = m3.add(m4);
      FloatVector oddB = m3.sub(m4);
      m0.add(evenA).add(evenB).intoMemorySegment(ALL, y0 + out, LITTLE_ENDIAN);
      oddA.fma(a, oddB.mul(b)).intoMemorySegment(ALL, y1 + out, LITTLE_ENDIAN);
      evenA.fma(a2, evenB.mul(b2)).intoMemorySegment(ALL, y2 + out, LITTLE_ENDIAN);
      oddA.fma(a3, oddB.fma(b3, m5)).intoMemorySegment(ALL, y3 + out, LITTLE_ENDIAN);
      in += BYTES;
      out += BYTES;
      left -= BYTES;
      if (left == 0) {
        left = bytes;
        in += runs.from() - bytes;
        out += runs.to() - bytes;
      }
    }
  }

  /** {@code A·y}: four pixels of the result's gradient to six values, which are written {@code step} bytes apart. */
  static void resultGradient(long y0, long y1, long y2, long y3, Runs runs, long to, long step) {
    FloatVector a = FloatVector.broadcast(FLOATS, A);
    FloatVector b = FloatVector.broadcast(FLOATS, B);
    FloatVector a2 = FloatVector.broadcast(FLOATS, A2);
    FloatVector b2 = FloatVector.broadcast(FLOATS, B2);
    FloatVector a3 = FloatVector.broadcast(FLOATS, A2 * A);
    FloatVector b3 = FloatVector.broadcast(FLOATS, B2 * B);
    long bytes = runs.bytes();
    long all = runs.count() * bytes;
    long left = bytes;
    long in = 0;
    long out = to;
    for (long done = 0; done < all; done += BYTES) {
      FloatVector x0 = FloatVector.fromMemorySegment(FLOATS, ALL, y0 + in, LITTLE_ENDIAN);
      FloatVector x1 = FloatVector.fromMemorySegment(FLOATS, ALL, y1 + in, LITTLE_ENDIAN);
      FloatVector x2 = FloatVector.fromMemorySegment(FLOATS, ALL, y2 + in, LITTLE_ENDIAN);
      FloatVector x3 = FloatVector.fromMemorySegment(FLOATS, ALL, y3 + in, LITTLE_ENDIAN);
      FloatVector evenA = x2.fma(a2, x0);
      FloatVector oddA = x1.fma(a, x3.mul(a3));
      FloatVector evenB = x2.fma(b2, x0);
      FloatVector oddB = x1.fma(b, x3.mul(b3));
      x0.intoMemorySegment(ALL, out, LITTLE_ENDIAN);
      evenA.add(oddA).intoMemorySegment(ALL, out + step, LITTLE_ENDIAN);
      evenA.sub(oddA).intoMemorySegment(ALL, out + 2 * step, LITTLE_ENDIAN);
      evenB.add(oddB).intoMemorySegment(ALL, out + 3 * step, LITTLE_ENDIAN);
      evenB.sub(oddB).intoMemorySegment(ALL, out + 4 * step, LITTLE_ENDIAN);
      x3.intoMemorySegment(ALL, out + 5 * step, LITTLE_ENDIAN);
      in += BYTES;
      out += BYTES;
      left -= BYTES;
      if (left == 0) {
        left = bytes;
        in += runs.from() - bytes;
        out += runs.to() - bytes;
      }
    }
  }

  /** {@code G·g}: three taps of the filter, {@code tap} bytes apart, to six values. */
  static void filter(long g, long tap, Runs runs, long to, long step) {
    FloatVector at0 = FloatVector.broadcast(FLOATS, AT_0);
    FloatVector atA = FloatVector.broadcast(FLOATS, AT_A);
    FloatVector atB = FloatVector.broadcast(FLOATS, AT_B);
    FloatVector atA1 = FloatVector.broadcast(FLOATS, AT_A * A);
    FloatVector atB1 = FloatVector.broadcast(FLOATS, AT_B * B);
    FloatVector atA2 = FloatVector.broadcast(FLOATS, AT_A * A2);
    FloatVector atB2 = FloatVector.broadcast(FLOATS, AT_B * B2);
    long bytes = runs.bytes();
    long all = runs.count() * bytes;
    long left = bytes;
    long in = g;
    long out = to;
    for (long done = 0; done < all; done += BYTES) {
      FloatVector g0 = FloatVector.fromMemorySegment(FLOATS, ALL, in, LITTLE_ENDIAN);
      FloatVector g1 = FloatVector.fromMemorySegment(FLOATS, ALL, in + tap, LITTLE_ENDIAN);
      FloatVector g2 = FloatVector.fromMemorySegment(FLOATS, ALL, in + 2 * tap, LITTLE_ENDIAN);
      FloatVector evenA = g2.fma(atA2, g0.mul(atA));
      FloatVector oddA = g1.mul(atA1);
      FloatVector evenB = g2.fma(atB2, g0.mul(atB));
      FloatVector oddB = g1.mul(atB1);
      g0.mul(at0).intoMemorySegment(ALL, out, LITTLE_ENDIAN);
      evenA.add(oddA).intoMemorySegment(ALL, out + step, LITTLE_ENDIAN);
      evenA.sub(oddA).intoMemorySegment(ALL, out + 2 * step, LITTLE_ENDIAN);
      evenB.add(oddB).intoMemorySegment(ALL, out + 3 * step, LITTLE_ENDIAN);
      evenB.sub(oddB).intoMemorySegment(ALL, out + 4 * step, LITTLE_ENDIAN);
      g2.intoMemorySegment(ALL, out + 5 * step, LITTLE_ENDIAN);
      in += BYTES;
      out += BYTES;
      left -= BYTES;
      if (left == 0) {
        left = bytes;
        in += runs.from() - bytes;
        out += runs.to() - bytes;
      }
    }
  }

  /** {@code Gᵀ·u}: six values, {@code step} bytes apart, to three taps of the filter's gradient. */
  static void filterGradient(long u, long step, Runs runs, long to, long tap) {
    FloatVector at0 = FloatVector.broadcast(FLOATS, AT_0);
    FloatVector atA = FloatVector.broadcast(FLOATS, AT_A);
    FloatVector atB = FloatVector.broadcast(FLOATS, AT_B);
    FloatVector atA1 = FloatVector.broadcast(FLOATS, AT_A * A);
    FloatVector atB1 = FloatVector.broadcast(FLOATS, AT_B * B);
    FloatVector atA2 = FloatVector.broadcast(FLOATS, AT_A * A2);
    FloatVector atB2 = FloatVector.broadcast(FLOATS, AT_B * B2);
    long bytes = runs.bytes();
    long all = runs.count() * bytes;
    long left = bytes;
    long in = u;
    long out = to;
    for (long done = 0; done < all; done += BYTES) {
      FloatVector u0 = FloatVector.fromMemorySegment(FLOATS, ALL, in, LITTLE_ENDIAN);
      FloatVector u1 = FloatVector.fromMemorySegment(FLOATS, ALL, in + step, LITTLE_ENDIAN);
      FloatVector u2 = FloatVector.fromMemorySegment(FLOATS, ALL, in + 2 * step, LITTLE_ENDIAN);
      FloatVector u3 = FloatVector.fromMemorySegment(FLOATS, ALL, in + 3 * step, LITTLE_ENDIAN);
      FloatVector u4 = FloatVector.fromMemorySegment(FLOATS, ALL, in + 4 * step, LITTLE_ENDIAN);
      FloatVector u5 = FloatVector.fromMemorySegment(FLOATS, ALL, in + 5 * step, LITTLE_ENDIAN);
      FloatVector evenA = u1.add(u2);
      FloatVector oddA = u1.sub(u2);
      FloatVector evenB = u3.add(u4);
      FloatVector oddB = u3.sub(u4);
      evenA.fma(atA, evenB.fma(atB, u0.mul(at0))).intoMemorySegment(ALL, out, LITTLE_ENDIAN);
      oddA.fma(atA1, oddB.mul(atB1)).intoMemorySegment(ALL, out + tap, LITTLE_ENDIAN);
      evenA.fma(atA2, evenB.fma(atB2, u5)).intoMemorySegment(ALL, out + 2 * tap, LITTLE_ENDIAN);
      in += BYTES;
      out += BYTES;
      left -= BYTES;
      if (left == 0) {
        left = bytes;
        in += runs.from() - bytes;
        out += runs.to() - bytes;
      }
    }
  }
}
