package dev.lamina.data;

/**
 * The generator behind every data order: SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
 * generators", OOPSLA 2014, section 4). Written out here because orders must never change: a resumed run has to see the
 * examples that it would have seen. It can be seeded anew without a new object, so that an epoch makes no garbage.
 */
final class SplitMix64 {
  /** 2⁶⁴ divided by the golden ratio, made odd. */
  private static final long GAMMA = 0x9E3779B97F4A7C15L;

  private long state;

  /** Begins the sequence of ({@code seed}, {@code stream}); mixed in between, so neighbouring streams are unrelated. */
  SplitMix64 seed(long seed, long stream) {
    state = mix(mix(seed + GAMMA) + stream);
    return this;
  }

  long next() {
    state += GAMMA;
    return mix(state);
  }

  /**
   * A whole number in [0, bound), every one equally likely (Lemire, "Fast random integer generation in an interval",
   * TOMACS 2019, algorithm 5 with 32-bit words).
   */
  int below(int bound) {
    long product = (next() >>> 32) * bound;
    if ((product & 0xffffffffL) < bound) {
      long threshold = (0x100000000L - bound) % bound;
      while ((product & 0xffffffffL) < threshold) {
        product = (next() >>> 32) * bound;
      }
    }
    return (int) (product >>> 32);
  }

  /** Puts {@code values} into a random order, every one equally likely (Fisher–Yates). */
  void shuffle(int[] values) {
    for (int i = values.length - 1; i > 0; i--) {
      int j = below(i + 1);
      int swapped = values[i];
      values[i] = values[j];
      values[j] = swapped;
    }
  }

  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
