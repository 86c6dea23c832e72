package dev.lamina.graph;

/** The random words of {@link RandomStream}, one at a time: for hosts and oracles; devices compute four together. */
public final class Philox {
  /** Multipliers of the two halves of a round. */
  public static final int MULTIPLIER_0 = 0xD2511F53;

  public static final int MULTIPLIER_1 = 0xCD9E8D57;

  /** Weyl increments of the two key words. */
  public static final int WEYL_0 = 0x9E3779B9;

  public static final int WEYL_1 = 0xBB67AE85;
  public static final int ROUNDS = 10;

  private Philox() {}

  /** The word, as an unsigned number below 2³², of {@code element} in {@code step}. */
  public static long word(RandomStream stream, int step, long element) {
    long block = element >>> 2;
    return word(
            stream.seed(),
            (int) block,
            step,
            (int) stream.stream(),
            (int) (stream.stream() >>> 32),
            (int) (element & 3))
        & 0xffffffffL;
  }

  private static int word(long seed, int c0, int c1, int c2, int c3, int lane) {
    int key0 = (int) seed;
    int key1 = (int) (seed >>> 32);
    for (int round = 0; round < ROUNDS; round++) {
      long product0 = (MULTIPLIER_0 & 0xffffffffL) * (c0 & 0xffffffffL);
      long product1 = (MULTIPLIER_1 & 0xffffffffL) * (c2 & 0xffffffffL);
      int next0 = (int) (product1 >>> 32) ^ c1 ^ key0;
      int next2 = (int) (product0 >>> 32) ^ c3 ^ key1;
      c1 = (int) product1;
      c3 = (int) product0;
      c0 = next0;
      c2 = next2;
      key0 += WEYL_0;
      key1 += WEYL_1;
    }
    return switch (lane) {
      case 0 -> c0;
      case 1 -> c1;
      case 2 -> c2;
      default -> c3;
    };
  }
}
