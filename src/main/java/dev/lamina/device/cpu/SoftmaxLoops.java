package dev.lamina.device.cpu;

/**
 * Loops over the classes of one row, in four chains: each step waits for the one before it in its chain. {@code lanes}
 * is memory for a vector, of the thread that calls.
 */
class SoftmaxLoops {
  SoftmaxLoops() {}

  /** With vectors of {@code vectorBits} bits; 0 is scalar code. */
  static SoftmaxLoops of(int vectorBits) {
    return vectorBits == 0 ? new SoftmaxLoops() : new VectorSoftmaxLoops();
  }

  /** The largest of {@code count} values at {@code at}; NaN counts only if it is the first. */
  float largest(long at, int count, long lanes) {
    float a = Memory.get(at);
    float b = a;
    float c = a;
    float d = a;
    int i = 0;
    for (; i + 3 < count; i += 4) {
      a = larger(a, Memory.get(at + 4L * i));
      b = larger(b, Memory.get(at + 4L * i + 4));
      c = larger(c, Memory.get(at + 4L * i + 8));
      d = larger(d, Memory.get(at + 4L * i + 12));
    }
    for (; i < count; i++) {
      a = larger(a, Memory.get(at + 4L * i));
    }
    return larger(larger(a, b), larger(c, d));
  }

  static float larger(float best, float next) {
    return next > best ? next : best;
  }

  /** The sum of {@code count} values. */
  double sum(long at, int count, long lanes) {
    double a = 0;
    double b = 0;
    double c = 0;
    double d = 0;
    int i = 0;
    for (; i + 3 < count; i += 4) {
      a += Memory.get(at + 4L * i);
      b += Memory.get(at + 4L * i + 4);
      c += Memory.get(at + 4L * i + 8);
      d += Memory.get(at + 4L * i + 12);
    }
    for (; i < count; i++) {
      a += Memory.get(at + 4L * i);
    }
    return (a + b) + (c + d);
  }

  /** {@code factor·x + offset} of {@code count} values. */
  void scale(long from, int count, float factor, float offset, long to) {
    for (int i = 0; i < count; i++) {
      Memory.set(to + 4L * i, Math.fma(factor, Memory.get(from + 4L * i), offset));
    }
  }
}
