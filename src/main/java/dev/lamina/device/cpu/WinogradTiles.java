package dev.lamina.device.cpu;

import static dev.lamina.device.cpu.Lanes.BYTES;
import static dev.lamina.device.cpu.Lanes.FLOATS;
import static dev.lamina.device.cpu.Memory.ALL;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import jdk.incubator.vector.FloatVector;

/**
 * The transforms of Winograd's algorithm along one dimension, with vectors of channels (Lavin and Gray 2015, section
 * 4): tiles of {@link #points} pixels of the source make {@link #size} pixels of the result with a filter of {@link
 * #taps} taps. Each is done for the columns of a tile first and then for its rows.
 *
 * <p>Polynomials are evaluated at 0, ±3/4, ±3/2 and, where six points are needed, at infinity. The usual 0, ±1, ±2
 * would cost as much, and err four times as much: powers of numbers on both sides of 1 stay closer together. All of
 * these have an exact square.
 */
abstract sealed class WinogradTiles
    permits WinogradFourByTwo, WinogradFourByThree, WinogradThreeByFour, WinogradTwoByFive {
  static final float A = 0.75f;
  static final float B = 1.5f;
  static final float A2 = A * A;
  static final float B2 = B * B;

  /** What Lagrange's polynomials are divided by at 0, ±{@link #A} and ±{@link #B}. */
  static final float AT_0 = 1 / (A2 * B2);

  static final float AT_A = 1 / (2 * A2 * (A2 - B2));
  static final float AT_B = 1 / (2 * B2 * (B2 - A2));

  /** For filters of {@code taps} taps along each dimension, 2 to 5. */
  static WinogradTiles of(int taps) {
    return switch (taps) {
      case 2 -> new WinogradFourByTwo();
      case 3 -> new WinogradFourByThree();
      case 4 -> new WinogradThreeByFour();
      case 5 -> new WinogradTwoByFive();
      default -> throw new IllegalArgumentException(taps + " taps");
    };
  }

  /** Whether there are transforms for so many taps. */
  static boolean exist(int taps) {
    return taps >= 2 && taps <= 5;
  }

  /** Pixels of a result's tile along one dimension. */
  abstract int size();

  /** Taps of a filter along one dimension. */
  abstract int taps();

  /** Values along one dimension of a transformed tile, and pixels of a source's tile. */
  final int points() {
    return size() + taps() - 1;
  }

  /** Values of a transformed tile. */
  final int values() {
    return points() * points();
  }

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

  /**
   * {@code Bᵀ·d}: pixels of the source, of which there are only the first {@link #points}, to as many values, which are
   * written {@code step} bytes apart.
   */
  void source(long d0, long d1, long d2, long d3, long d4, long d5, Runs runs, long to, long step) {
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

  /**
   * {@code Aᵀ·m}: values, {@code step} bytes apart, to pixels of the result; there are only the first {@link #size} of
   * them.
   */
  abstract void result(long m, long step, Runs runs, long y0, long y1, long y2, long y3);

  /** {@code A·y}: such pixels of the result's gradient to values, which are written {@code step} bytes apart. */
  abstract void resultGradient(long y0, long y1, long y2, long y3, Runs runs, long to, long step);

  /** {@code G·g}: taps of the filter, {@code tap} bytes apart, to values. */
  abstract void filter(long g, long tap, Runs runs, long to, long step);

  /** {@code Gᵀ·u}: values, {@code step} bytes apart, to taps of the filter's gradient. */
  abstract void filterGradient(long u, long step, Runs runs, long to, long tap);
}
