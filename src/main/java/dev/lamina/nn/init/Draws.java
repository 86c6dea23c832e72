package dev.lamina.nn.init;

import dev.lamina.tensor.HostTensor;
import java.util.random.RandomGenerator;

/**
 * Random numbers from the raw bits of a generator by {@link StrictMath}. What {@code RandomGenerator.nextGaussian} does
 * is left to each JDK, so it is not used: these bits are the same on every machine, today and later.
 */
final class Draws {
  private Draws() {}

  /** A number in [0, 1), a multiple of 2⁻⁵³. */
  static double uniform(RandomGenerator random) {
    return (random.nextLong() >>> 11) * 0x1p-53;
  }

  /** Fills {@code target} evenly from [−limit, limit). */
  static void fillUniform(HostTensor target, double limit, RandomGenerator random) {
    for (long i = 0; i < target.size(); i++) {
      target.set(i, limit * (2 * uniform(random) - 1));
    }
  }

  /** Fills {@code target} from a normal distribution. */
  static void fillNormal(HostTensor target, double deviation, RandomGenerator random) {
    for (long i = 0; i < target.size(); i += 2) {
      // Box and Muller 1958; 1 − u lies in (0, 1], so its logarithm is finite.
      double radius = deviation * StrictMath.sqrt(-2 * StrictMath.log(1 - uniform(random)));
      double angle = 2 * Math.PI * uniform(random);
      target.set(i, radius * StrictMath.cos(angle));
      if (i + 1 < target.size()) {
        target.set(i + 1, radius * StrictMath.sin(angle));
      }
    }
  }

  /** Fills {@code target} from a normal distribution; what lies beyond two deviations is drawn again. */
  static void fillTruncatedNormal(HostTensor target, double deviation, RandomGenerator random) {
    long i = 0;
    while (i < target.size()) {
      double radius = StrictMath.sqrt(-2 * StrictMath.log(1 - uniform(random)));
      double angle = 2 * Math.PI * uniform(random);
      for (double draw : new double[] {radius * StrictMath.cos(angle), radius * StrictMath.sin(angle)}) {
        if (Math.abs(draw) <= 2 && i < target.size()) {
          target.set(i++, deviation * draw);
        }
      }
    }
  }
}
