package dev.lamina.device.cpu;

import static dev.lamina.device.cpu.Lanes.BYTES;
import static dev.lamina.device.cpu.Lanes.FLOATS;
import static dev.lamina.device.cpu.Memory.ALL;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import jdk.incubator.vector.FloatVector;

/** F(3×3, 4×4): 36 multiplications instead of 144. */
final class WinogradThreeByFour extends WinogradTiles {
  @Override
  int size() {
    return 3;
  }

  @Override
  int taps() {
    return 4;
  }

  @Override
  void result(long m, long step, Runs runs, long y0, long y1, long y2, long y3) {
    FloatVector a = FloatVector.broadcast(FLOATS, A);
    FloatVector b = FloatVector.broadcast(FLOATS, B);
    FloatVector a2 = FloatVector.broadcast(FLOATS, A2);
    FloatVector b2 = FloatVector.broadcast(FLOATS, B2);
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
      evenA.fma(a2, evenB.fma(b2, m5)).intoMemorySegment(ALL, y2 + out, LITTLE_ENDIAN);
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
    long bytes = runs.bytes();
    long all = runs.count() * bytes;
    long left = bytes;
    long in = 0;
    long out = to;
    for (long done = 0; done < all; done += BYTES) {
      FloatVector x0 = FloatVector.fromMemorySegment(FLOATS, ALL, y0 + in, LITTLE_ENDIAN);
      FloatVector x1 = FloatVector.fromMemorySegment(FLOATS, ALL, y1 + in, LITTLE_ENDIAN);
      FloatVector x2 = FloatVector.fromMemorySegment(FLOATS, ALL, y2 + in, LITTLE_ENDIAN);
      FloatVector evenA = x2.fma(a2, x0);
      FloatVector oddA = x1.mul(a);
      FloatVector evenB = x2.fma(b2, x0);
      FloatVector oddB = x1.mul(b);
      x0.intoMemorySegment(ALL, out, LITTLE_ENDIAN);
      evenA.add(oddA).intoMemorySegment(ALL, out + step, LITTLE_ENDIAN);
      evenA.sub(oddA).intoMemorySegment(ALL, out + 2 * step, LITTLE_ENDIAN);
      evenB.add(oddB).intoMemorySegment(ALL, out + 3 * step, LITTLE_ENDIAN);
      evenB.sub(oddB).intoMemorySegment(ALL, out + 4 * step, LITTLE_ENDIAN);
      x2.intoMemorySegment(ALL, out + 5 * step, LITTLE_ENDIAN);
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
    FloatVector atA2 = FloatVector.broadcast(FLOATS, AT_A * A2);
    FloatVector atB2 = FloatVector.broadcast(FLOATS, AT_B * B2);
    FloatVector atA3 = FloatVector.broadcast(FLOATS, AT_A * A2 * A);
    FloatVector atB3 = FloatVector.broadcast(FLOATS, AT_B * B2 * B);
    long bytes = runs.bytes();
    long all = runs.count() * bytes;
    long left = bytes;
    long in = g;
    long out = to;
    for (long done = 0; done < all; done += BYTES) {
      FloatVector g0 = FloatVector.fromMemorySegment(FLOATS, ALL, in, LITTLE_ENDIAN);
      FloatVector g1 = FloatVector.fromMemorySegment(FLOATS, ALL, in + tap, LITTLE_ENDIAN);
      FloatVector g2 = FloatVector.fromMemorySegment(FLOATS, ALL, in + 2 * tap, LITTLE_ENDIAN);
      FloatVector g3 = FloatVector.fromMemorySegment(FLOATS, ALL, in + 3 * tap, LITTLE_ENDIAN);
      FloatVector evenA = g2.fma(atA2, g0.mul(atA));
      FloatVector oddA = g3.fma(atA3, g1.mul(atA1));
      FloatVector evenB = g2.fma(atB2, g0.mul(atB));
      FloatVector oddB = g3.fma(atB3, g1.mul(atB1));
      g0.mul(at0).intoMemorySegment(ALL, out, LITTLE_ENDIAN);
      evenA.add(oddA).intoMemorySegment(ALL, out + step, LITTLE_ENDIAN);
      evenA.sub(oddA).intoMemorySegment(ALL, out + 2 * step, LITTLE_ENDIAN);
      evenB.add(oddB).intoMemorySegment(ALL, out + 3 * step, LITTLE_ENDIAN);
      evenB.sub(oddB).intoMemorySegment(ALL, out + 4 * step, LITTLE_ENDIAN);
      g3.intoMemorySegment(ALL, out + 5 * step, LITTLE_ENDIAN);
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
    FloatVector atA2 = FloatVector.broadcast(FLOATS, AT_A * A2);
    FloatVector atB2 = FloatVector.broadcast(FLOATS, AT_B * B2);
    FloatVector atA3 = FloatVector.broadcast(FLOATS, AT_A * A2 * A);
    FloatVector atB3 = FloatVector.broadcast(FLOATS, AT_B * B2 * B);
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
      evenA.fma(atA2, evenB.mul(atB2)).intoMemorySegment(ALL, out + 2 * tap, LITTLE_ENDIAN);
      oddA.fma(atA3, oddB.fma(atB3, u5)).intoMemorySegment(ALL, out + 3 * tap, LITTLE_ENDIAN);
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
