package dev.lamina.device.cpu;

import static dev.lamina.device.cpu.Lanes.BYTES;
import static dev.lamina.device.cpu.Lanes.FLOATS;
import static dev.lamina.device.cpu.Memory.ALL;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import jdk.incubator.vector.FloatVector;

/**
 * The transforms of Winograd's F(2×2, 3×3) with vectors of channels (Lavin and Gray 2015, section 4.1): 4×4 pixels of
 * the source, or of a product, to 16 values that are multiplied one by one, and back. Written out: vectors in an array
 * would become objects.
 */
final class WinogradTiles {
  private WinogradTiles() {}

  /**
   * {@code Bᵀ·d·B} of a row of tiles, for some channels.
   *
   * @param d the first of 4×4 pixels; the next tile begins two pixels further
   * @param row bytes from one row of pixels to the next
   * @param pixel bytes from one pixel to the next
   * @param channels bytes of the channels, whole vectors
   * @param v where the first of 16 values goes, and behind it those of the next tiles; values lie {@code value} bytes
   *     apart
   */
  static void source(long d, long row, long pixel, long channels, int tiles, long v, long value) {
    long d1 = d + row;
    long d2 = d1 + row;
    long d3 = d2 + row;
    long to = v;
    for (long tile = 0; tile < tiles * 2L * pixel; tile += 2 * pixel) {
      for (long c = tile; c < tile + channels; c += BYTES) {
        FloatVector a00 = FloatVector.fromMemorySegment(FLOATS, ALL, d + c, LITTLE_ENDIAN);
        FloatVector a10 = FloatVector.fromMemorySegment(FLOATS, ALL, d1 + c, LITTLE_ENDIAN);
        FloatVector a20 = FloatVector.fromMemorySegment(FLOATS, ALL, d2 + c, LITTLE_ENDIAN);
        FloatVector a30 = FloatVector.fromMemorySegment(FLOATS, ALL, d3 + c, LITTLE_ENDIAN);
        FloatVector t00 = a00.sub(a20);
        FloatVector t10 = a10.add(a20);
        FloatVector t20 = a20.sub(a10);
        FloatVector t30 = a10.sub(a30);
        FloatVector a01 = FloatVector.fromMemorySegment(FLOATS, ALL, d + pixel + c, LITTLE_ENDIAN);
        FloatVector a11 = FloatVector.fromMemorySegment(FLOATS, ALL, d1 + pixel + c, LITTLE_ENDIAN);
        FloatVector a21 = FloatVector.fromMemorySegment(FLOATS, ALL, d2 + pixel + c, LITTLE_ENDIAN);
        FloatVector a31 = FloatVector.fromMemorySegment(FLOATS, ALL, d3 + pixel + c, LITTLE_ENDIAN);
        FloatVector t01 = a01.sub(a21);
        FloatVector t11 = a11.add(a21);
        FloatVector t21 = a21.sub(a11);
        FloatVector t31 = a11.sub(a31);
        FloatVector a02 = FloatVector.fromMemorySegment(FLOATS, ALL, d + 2 * pixel + c, LITTLE_ENDIAN);
        FloatVector a12 = FloatVector.fromMemorySegment(FLOATS, ALL, d1 + 2 * pixel + c, LITTLE_ENDIAN);
        FloatVector a22 = FloatVector.fromMemorySegment(FLOATS, ALL, d2 + 2 * pixel + c, LITTLE_ENDIAN);
        FloatVector a32 = FloatVector.fromMemorySegment(FLOATS, ALL, d3 + 2 * pixel + c, LITTLE_ENDIAN);
        FloatVector t02 = a02.sub(a22);
        FloatVector t12 = a12.add(a22);
        FloatVector t22 = a22.sub(a12);
        FloatVector t32 = a12.sub(a32);
        FloatVector a03 = FloatVector.fromMemorySegment(FLOATS, ALL, d + 3 * pixel + c, LITTLE_ENDIAN);
        FloatVector a13 = FloatVector.fromMemorySegment(FLOATS, ALL, d1 + 3 * pixel + c, LITTLE_ENDIAN);
        FloatVector a23 = FloatVector.fromMemorySegment(FLOATS, ALL, d2 + 3 * pixel + c, LITTLE_ENDIAN);
        FloatVector a33 = FloatVector.fromMemorySegment(FLOATS, ALL, d3 + 3 * pixel + c, LITTLE_ENDIAN);
        FloatVector t03 = a03.sub(a23);
        FloatVector t13 = a13.add(a23);
        FloatVector t23 = a23.sub(a13);
        FloatVector t33 = a13.sub(a33);
        long to0 = to;
        t00.sub(t02).intoMemorySegment(ALL, to0, LITTLE_ENDIAN);
        t01.add(t02).intoMemorySegment(ALL, to0 + value, LITTLE_ENDIAN);
        t02.sub(t01).intoMemorySegment(ALL, to0 + 2 * value, LITTLE_ENDIAN);
        t01.sub(t03).intoMemorySegment(ALL, to0 + 3 * value, LITTLE_ENDIAN);
        long to1 = to + 4 * value;
        t10.sub(t12).intoMemorySegment(ALL, to1, LITTLE_ENDIAN);
        t11.add(t12).intoMemorySegment(ALL, to1 + value, LITTLE_ENDIAN);
        t12.sub(t11).intoMemorySegment(ALL, to1 + 2 * value, LITTLE_ENDIAN);
        t11.sub(t13).intoMemorySegment(ALL, to1 + 3 * value, LITTLE_ENDIAN);
        long to2 = to + 8 * value;
        t20.sub(t22).intoMemorySegment(ALL, to2, LITTLE_ENDIAN);
        t21.add(t22).intoMemorySegment(ALL, to2 + value, LITTLE_ENDIAN);
        t22.sub(t21).intoMemorySegment(ALL, to2 + 2 * value, LITTLE_ENDIAN);
        t21.sub(t23).intoMemorySegment(ALL, to2 + 3 * value, LITTLE_ENDIAN);
        long to3 = to + 12 * value;
        t30.sub(t32).intoMemorySegment(ALL, to3, LITTLE_ENDIAN);
        t31.add(t32).intoMemorySegment(ALL, to3 + value, LITTLE_ENDIAN);
        t32.sub(t31).intoMemorySegment(ALL, to3 + 2 * value, LITTLE_ENDIAN);
        t31.sub(t33).intoMemorySegment(ALL, to3 + 3 * value, LITTLE_ENDIAN);
        to += BYTES;
      }
    }
  }

  /**
   * {@code Aᵀ·m·A} of one tile, for some channels.
   *
   * @param m the first of 16 values, {@code value} bytes apart
   * @param channels bytes of the channels, whole vectors
   * @param y00 where the upper left pixel goes; the others follow
   */
  static void result(long m, long value, long channels, long y00, long y01, long y10, long y11) {
    for (long c = 0; c < channels; c += BYTES) {
      FloatVector m00 = FloatVector.fromMemorySegment(FLOATS, ALL, m + c, LITTLE_ENDIAN);
      FloatVector m01 = FloatVector.fromMemorySegment(FLOATS, ALL, m + value + c, LITTLE_ENDIAN);
      FloatVector m02 = FloatVector.fromMemorySegment(FLOATS, ALL, m + 2 * value + c, LITTLE_ENDIAN);
      FloatVector m03 = FloatVector.fromMemorySegment(FLOATS, ALL, m + 3 * value + c, LITTLE_ENDIAN);
      FloatVector s00 = m00.add(m01).add(m02);
      FloatVector s01 = m01.sub(m02).sub(m03);
      FloatVector m10 = FloatVector.fromMemorySegment(FLOATS, ALL, m + 4 * value + c, LITTLE_ENDIAN);
      FloatVector m11 = FloatVector.fromMemorySegment(FLOATS, ALL, m + 5 * value + c, LITTLE_ENDIAN);
      FloatVector m12 = FloatVector.fromMemorySegment(FLOATS, ALL, m + 6 * value + c, LITTLE_ENDIAN);
      FloatVector m13 = FloatVector.fromMemorySegment(FLOATS, ALL, m + 7 * value + c, LITTLE_ENDIAN);
      FloatVector s10 = m10.add(m11).add(m12);
      FloatVector s11 = m11.sub(m12).sub(m13);
      FloatVector m20 = FloatVector.fromMemorySegment(FLOATS, ALL, m + 8 * value + c, LITTLE_ENDIAN);
      FloatVector m21 = FloatVector.fromMemorySegment(FLOATS, ALL, m + 9 * value + c, LITTLE_ENDIAN);
      FloatVector m22 = FloatVector.fromMemorySegment(FLOATS, ALL, m + 10 * value + c, LITTLE_ENDIAN);
      FloatVector m23 = FloatVector.fromMemorySegment(FLOATS, ALL, m + 11 * value + c, LITTLE_ENDIAN);
      FloatVector s20 = m20.add(m21).add(m22);
      FloatVector s21 = m21.sub(m22).sub(m23);
      FloatVector m30 = FloatVector.fromMemorySegment(FLOATS, ALL, m + 12 * value + c, LITTLE_ENDIAN);
      FloatVector m31 = FloatVector.fromMemorySegment(FLOATS, ALL, m + 13 * value + c, LITTLE_ENDIAN);
      FloatVector m32 = FloatVector.fromMemorySegment(FLOATS, ALL, m + 14 * value + c, LITTLE_ENDIAN);
      FloatVector m33 = FloatVector.fromMemorySegment(FLOATS, ALL, m + 15 * value + c, LITTLE_ENDIAN);
      FloatVector s30 = m30.add(m31).add(m32);
      FloatVector s31 = m31.sub(m32).sub(m33);
      s00.add(s10).add(s20).intoMemorySegment(ALL, y00 + c, LITTLE_ENDIAN);
      s10.sub(s20).sub(s30).intoMemorySegment(ALL, y10 + c, LITTLE_ENDIAN);
      s01.add(s11).add(s21).intoMemorySegment(ALL, y01 + c, LITTLE_ENDIAN);
      s11.sub(s21).sub(s31).intoMemorySegment(ALL, y11 + c, LITTLE_ENDIAN);
    }
  }

  /**
   * {@code G·g·Gᵀ} of the filters of some channels.
   *
   * @param g the first of nine taps; they lie {@code tap} bytes apart
   * @param channels bytes of the channels, whole vectors
   * @param u where the first of 16 values goes; they lie {@code value} bytes apart
   */
  static void filter(long g, long tap, long channels, long u, long value) {
    for (long c = 0; c < channels; c += BYTES) {
      FloatVector g00 = FloatVector.fromMemorySegment(FLOATS, ALL, g + c, LITTLE_ENDIAN);
      FloatVector g10 = FloatVector.fromMemorySegment(FLOATS, ALL, g + 3 * tap + c, LITTLE_ENDIAN);
      FloatVector g20 = FloatVector.fromMemorySegment(FLOATS, ALL, g + 6 * tap + c, LITTLE_ENDIAN);
      FloatVector e0 = g00.add(g20);
      FloatVector h10 = e0.add(g10).mul(0.5f);
      FloatVector h20 = e0.sub(g10).mul(0.5f);
      FloatVector g01 = FloatVector.fromMemorySegment(FLOATS, ALL, g + tap + c, LITTLE_ENDIAN);
      FloatVector g11 = FloatVector.fromMemorySegment(FLOATS, ALL, g + 4 * tap + c, LITTLE_ENDIAN);
      FloatVector g21 = FloatVector.fromMemorySegment(FLOATS, ALL, g + 7 * tap + c, LITTLE_ENDIAN);
      FloatVector e1 = g01.add(g21);
      FloatVector h11 = e1.add(g11).mul(0.5f);
      FloatVector h21 = e1.sub(g11).mul(0.5f);
      FloatVector g02 = FloatVector.fromMemorySegment(FLOATS, ALL, g + 2 * tap + c, LITTLE_ENDIAN);
      FloatVector g12 = FloatVector.fromMemorySegment(FLOATS, ALL, g + 5 * tap + c, LITTLE_ENDIAN);
      FloatVector g22 = FloatVector.fromMemorySegment(FLOATS, ALL, g + 8 * tap + c, LITTLE_ENDIAN);
      FloatVector e2 = g02.add(g22);
      FloatVector h12 = e2.add(g12).mul(0.5f);
      FloatVector h22 = e2.sub(g12).mul(0.5f);
      FloatVector k0 = g00.add(g02);
      long to0 = u + c;
      g00.intoMemorySegment(ALL, to0, LITTLE_ENDIAN);
      k0.add(g01).mul(0.5f).intoMemorySegment(ALL, to0 + value, LITTLE_ENDIAN);
      k0.sub(g01).mul(0.5f).intoMemorySegment(ALL, to0 + 2 * value, LITTLE_ENDIAN);
      g02.intoMemorySegment(ALL, to0 + 3 * value, LITTLE_ENDIAN);
      FloatVector k1 = h10.add(h12);
      long to1 = u + 4 * value + c;
      h10.intoMemorySegment(ALL, to1, LITTLE_ENDIAN);
      k1.add(h11).mul(0.5f).intoMemorySegment(ALL, to1 + value, LITTLE_ENDIAN);
      k1.sub(h11).mul(0.5f).intoMemorySegment(ALL, to1 + 2 * value, LITTLE_ENDIAN);
      h12.intoMemorySegment(ALL, to1 + 3 * value, LITTLE_ENDIAN);
      FloatVector k2 = h20.add(h22);
      long to2 = u + 8 * value + c;
      h20.intoMemorySegment(ALL, to2, LITTLE_ENDIAN);
      k2.add(h21).mul(0.5f).intoMemorySegment(ALL, to2 + value, LITTLE_ENDIAN);
      k2.sub(h21).mul(0.5f).intoMemorySegment(ALL, to2 + 2 * value, LITTLE_ENDIAN);
      h22.intoMemorySegment(ALL, to2 + 3 * value, LITTLE_ENDIAN);
      FloatVector k3 = g20.add(g22);
      long to3 = u + 12 * value + c;
      g20.intoMemorySegment(ALL, to3, LITTLE_ENDIAN);
      k3.add(g21).mul(0.5f).intoMemorySegment(ALL, to3 + value, LITTLE_ENDIAN);
      k3.sub(g21).mul(0.5f).intoMemorySegment(ALL, to3 + 2 * value, LITTLE_ENDIAN);
      g22.intoMemorySegment(ALL, to3 + 3 * value, LITTLE_ENDIAN);
    }
  }

  /**
   * {@code A·y·Aᵀ} of one tile of a result's gradient, for some channels.
   *
   * @param y00 the upper left pixel; the others follow
   * @param channels bytes of the channels, whole vectors
   * @param z where the first of 16 values goes; they lie {@code value} bytes apart
   */
  static void resultGradient(long y00, long y01, long y10, long y11, long channels, long z, long value) {
    for (long c = 0; c < channels; c += BYTES) {
      FloatVector t00 = FloatVector.fromMemorySegment(FLOATS, ALL, y00 + c, LITTLE_ENDIAN);
      FloatVector y10c = FloatVector.fromMemorySegment(FLOATS, ALL, y10 + c, LITTLE_ENDIAN);
      FloatVector t10 = t00.add(y10c);
      FloatVector t20 = t00.sub(y10c);
      FloatVector t30 = y10c.neg();
      FloatVector t01 = FloatVector.fromMemorySegment(FLOATS, ALL, y01 + c, LITTLE_ENDIAN);
      FloatVector y11c = FloatVector.fromMemorySegment(FLOATS, ALL, y11 + c, LITTLE_ENDIAN);
      FloatVector t11 = t01.add(y11c);
      FloatVector t21 = t01.sub(y11c);
      FloatVector t31 = y11c.neg();
      long to0 = z + c;
      t00.intoMemorySegment(ALL, to0, LITTLE_ENDIAN);
      t00.add(t01).intoMemorySegment(ALL, to0 + value, LITTLE_ENDIAN);
      t00.sub(t01).intoMemorySegment(ALL, to0 + 2 * value, LITTLE_ENDIAN);
      t01.neg().intoMemorySegment(ALL, to0 + 3 * value, LITTLE_ENDIAN);
      long to1 = z + 4 * value + c;
      t10.intoMemorySegment(ALL, to1, LITTLE_ENDIAN);
      t10.add(t11).intoMemorySegment(ALL, to1 + value, LITTLE_ENDIAN);
      t10.sub(t11).intoMemorySegment(ALL, to1 + 2 * value, LITTLE_ENDIAN);
      t11.neg().intoMemorySegment(ALL, to1 + 3 * value, LITTLE_ENDIAN);
      long to2 = z + 8 * value + c;
      t20.intoMemorySegment(ALL, to2, LITTLE_ENDIAN);
      t20.add(t21).intoMemorySegment(ALL, to2 + value, LITTLE_ENDIAN);
      t20.sub(t21).intoMemorySegment(ALL, to2 + 2 * value, LITTLE_ENDIAN);
      t21.neg().intoMemorySegment(ALL, to2 + 3 * value, LITTLE_ENDIAN);
      long to3 = z + 12 * value + c;
      t30.intoMemorySegment(ALL, to3, LITTLE_ENDIAN);
      t30.add(t31).intoMemorySegment(ALL, to3 + value, LITTLE_ENDIAN);
      t30.sub(t31).intoMemorySegment(ALL, to3 + 2 * value, LITTLE_ENDIAN);
      t31.neg().intoMemorySegment(ALL, to3 + 3 * value, LITTLE_ENDIAN);
    }
  }

  /**
   * {@code Gᵀ·u·G}, the gradient of the filters of some channels.
   *
   * @param u the first of 16 values, {@code value} bytes apart
   * @param channels bytes of the channels, whole vectors
   * @param g where the first of nine taps goes; they lie {@code tap} bytes apart
   */
  static void filterGradient(long u, long value, long channels, long g, long tap) {
    for (long c = 0; c < channels; c += BYTES) {
      FloatVector u00 = FloatVector.fromMemorySegment(FLOATS, ALL, u + c, LITTLE_ENDIAN);
      FloatVector u10 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 4 * value + c, LITTLE_ENDIAN);
      FloatVector u20 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 8 * value + c, LITTLE_ENDIAN);
      FloatVector u30 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 12 * value + c, LITTLE_ENDIAN);
      FloatVector p0 = u10.add(u20).mul(0.5f);
      FloatVector r00 = u00.add(p0);
      FloatVector r10 = u10.sub(u20).mul(0.5f);
      FloatVector r20 = p0.add(u30);
      FloatVector u01 = FloatVector.fromMemorySegment(FLOATS, ALL, u + value + c, LITTLE_ENDIAN);
      FloatVector u11 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 5 * value + c, LITTLE_ENDIAN);
      FloatVector u21 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 9 * value + c, LITTLE_ENDIAN);
      FloatVector u31 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 13 * value + c, LITTLE_ENDIAN);
      FloatVector p1 = u11.add(u21).mul(0.5f);
      FloatVector r01 = u01.add(p1);
      FloatVector r11 = u11.sub(u21).mul(0.5f);
      FloatVector r21 = p1.add(u31);
      FloatVector u02 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 2 * value + c, LITTLE_ENDIAN);
      FloatVector u12 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 6 * value + c, LITTLE_ENDIAN);
      FloatVector u22 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 10 * value + c, LITTLE_ENDIAN);
      FloatVector u32 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 14 * value + c, LITTLE_ENDIAN);
      FloatVector p2 = u12.add(u22).mul(0.5f);
      FloatVector r02 = u02.add(p2);
      FloatVector r12 = u12.sub(u22).mul(0.5f);
      FloatVector r22 = p2.add(u32);
      FloatVector u03 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 3 * value + c, LITTLE_ENDIAN);
      FloatVector u13 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 7 * value + c, LITTLE_ENDIAN);
      FloatVector u23 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 11 * value + c, LITTLE_ENDIAN);
      FloatVector u33 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 15 * value + c, LITTLE_ENDIAN);
      FloatVector p3 = u13.add(u23).mul(0.5f);
      FloatVector r03 = u03.add(p3);
      FloatVector r13 = u13.sub(u23).mul(0.5f);
      FloatVector r23 = p3.add(u33);
      FloatVector q0 = r01.add(r02).mul(0.5f);
      r00.add(q0).intoMemorySegment(ALL, g + c, LITTLE_ENDIAN);
      r01.sub(r02).mul(0.5f).intoMemorySegment(ALL, g + tap + c, LITTLE_ENDIAN);
      q0.add(r03).intoMemorySegment(ALL, g + 2 * tap + c, LITTLE_ENDIAN);
      FloatVector q1 = r11.add(r12).mul(0.5f);
      r10.add(q1).intoMemorySegment(ALL, g + 3 * tap + c, LITTLE_ENDIAN);
      r11.sub(r12).mul(0.5f).intoMemorySegment(ALL, g + 4 * tap + c, LITTLE_ENDIAN);
      q1.add(r13).intoMemorySegment(ALL, g + 5 * tap + c, LITTLE_ENDIAN);
      FloatVector q2 = r21.add(r22).mul(0.5f);
      r20.add(q2).intoMemorySegment(ALL, g + 6 * tap + c, LITTLE_ENDIAN);
      r21.sub(r22).mul(0.5f).intoMemorySegment(ALL, g + 7 * tap + c, LITTLE_ENDIAN);
      q2.add(r23).intoMemorySegment(ALL, g + 8 * tap + c, LITTLE_ENDIAN);
    }
  }
}
