package dev.lamina.device.cpu;

import static dev.lamina.device.cpu.Lanes.BYTES;
import static dev.lamina.device.cpu.Lanes.FLOATS;
import static dev.lamina.device.cpu.Memory.ALL;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import jdk.incubator.vector.FloatVector;

/** F(4×4, 2×2): 25 multiplications instead of 64; without the point at infinity. */
final class WinogradFourByTwo extends WinogradTiles {
  @Override
  int size() {
    return 4;
  }

  @Override
  int taps() {
    return 2;
  }

  @Override
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
      FloatVector evenA = x2.fma(minusB2, x4);
      FloatVector oddA = x1.fma(minusB2, x3);
      FloatVector evenB = x2.fma(minusA2, x4);
      FloatVector oddB = x1.fma(minusA2, x3);
      x0.fma(product, x2.fma(minusSum, x4)).intoMemorySegment(ALL, out, LITTLE_ENDIAN);
      oddA.fma(a, evenA).intoMemorySegment(ALL, out + step, LITTLE_ENDIAN);
      oddA.fma(minusA, evenA).intoMemorySegment(ALL, out + 2 * step, LITTLE_ENDIAN);
      oddB.fma(b, evenB).intoMemorySegment(ALL, out + 3 * step, LITTLE_ENDIAN);
      oddB.fma(minusB, evenB).intoMemorySegment(ALL, out + 4 * step, LITTLE_ENDIAN);
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

  @Override
  void result(long m, long step, Runs runs, long y0, long y1, long y2, long y3) {
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
      FloatVector evenA = m1.add(m2);
      FloatVector oddA = m1.sub(m2);
      FloatVector evenB = m3.add(m4);
      FloatVector oddB = m3.sub(m4);
      m0.add(evenA).add(evenB).intoMemorySegment(ALL, y0 + out, LITTLE_ENDIAN);
      oddA.fma(a, oddB.mul(b)).intoMemorySegment(ALL, y1 + out, LITTLE_ENDIAN);
      evenA.fma(a2, evenB.mul(b2)).intoMemorySegment(ALL, y2 + out, LITTLE_ENDIAN);
      oddA.fma(a3, oddB.mul(b3)).intoMemorySegment(ALL, y3 + out, LITTLE_ENDIAN);
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

  @Override
  void resultGradient(long y0, long y1, long y2, long y3, Runs runs, long to, long step) {
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

  @Override
  void filter(long g, long tap, Runs runs, long to, long step) {
    FloatVector at0 = FloatVector.broadcast(FLOATS, AT_0);
    FloatVector atA = FloatVector.broadcast(FLOATS, AT_A);
    FloatVector atB = FloatVector.broadcast(FLOATS, AT_B);
    FloatVector atA1 = FloatVector.broadcast(FLOATS, AT_A * A);
    FloatVector atB1 = FloatVector.broadcast(FLOATS, AT_B * B);
    long bytes = runs.bytes();
    long all = runs.count() * bytes;
    long left = bytes;
    long in = g;
    long out = to;
    for (long done = 0; done < all; done += BYTES) {
      FloatVector g0 = FloatVector.fromMemorySegment(FLOATS, ALL, in, LITTLE_ENDIAN);
      FloatVector g1 = FloatVector.fromMemorySegment(FLOATS, ALL, in + tap, LITTLE_ENDIAN);
      FloatVector evenA = g0.mul(atA);
      FloatVector oddA = g1.mul(atA1);
      FloatVector evenB = g0.mul(atB);
      FloatVector oddB = g1.mul(atB1);
      g0.mul(at0).intoMemorySegment(ALL, out, LITTLE_ENDIAN);
      evenA.add(oddA).intoMemorySegment(ALL, out + step, LITTLE_ENDIAN);
      evenA.sub(oddA).intoMemorySegment(ALL, out + 2 * step, LITTLE_ENDIAN);
      evenB.add(oddB).intoMemorySegment(ALL, out + 3 * step, LITTLE_ENDIAN);
      evenB.sub(oddB).intoMemorySegment(ALL, out + 4 * step, LITTLE_ENDIAN);
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

  @Override
  void filterGradient(long u, long step, Runs runs, long to, long tap) {
    FloatVector at0 = FloatVector.broadcast(FLOATS, AT_0);
    FloatVector atA = FloatVector.broadcast(FLOATS, AT_A);
    FloatVector atB = FloatVector.broadcast(FLOATS, AT_B);
    FloatVector atA1 = FloatVector.broadcast(FLOATS, AT_A * A);
    FloatVector atB1 = FloatVector.broadcast(FLOATS, AT_B * B);
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
      FloatVector evenA = u1.add(u2);
      FloatVector oddA = u1.sub(u2);
      FloatVector evenB = u3.add(u4);
      FloatVector oddB = u3.sub(u4);
      evenA.fma(atA, evenB.fma(atB, u0.mul(at0))).intoMemorySegment(ALL, out, LITTLE_ENDIAN);
      oddA.fma(atA1, oddB.mul(atB1)).intoMemorySegment(ALL, out + tap, LITTLE_ENDIAN);
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
