package dev.lamina.train.pretrain;

/**
 * How far the variances of Gaussian visible units are from 1, for which the energy takes them (Hinton 2010, section
 * 13.2).
 *
 * @param units how many there are
 * @param constant those without variance, which do no harm: a z-score makes them 0
 * @param far those of the rest whose variance is not within a factor of 2 of 1
 * @param least variance of those that vary
 * @param greatest variance
 */
public record VisibleScale(int units, int constant, int far, double least, double greatest) {
  private static final double FACTOR = 2;

  /** The share of the units that vary from which so many are far off. */
  private static final double MANY = 0.1;

  /** A variance that is this share of the mean square, or less, is rounding in 32 bits. */
  private static final double ROUNDING = 1e-6;

  static VisibleScale of(CompiledRbm.Measures measures) {
    int constant = 0;
    int far = 0;
    double least = Double.POSITIVE_INFINITY;
    double greatest = 0;
    for (int i = 0; i < measures.sums().length; i++) {
      double variance = measures.variance(i);
      if (variance <= ROUNDING * measures.squares()[i] / measures.examples()) {
        constant++;
        continue;
      }
      far += variance < 1 / FACTOR || variance > FACTOR ? 1 : 0;
      least = Math.min(least, variance);
      greatest = Math.max(greatest, variance);
    }
    return new VisibleScale(measures.sums().length, constant, far, least, greatest);
  }

  /** Whether many of the units that vary are far off. */
  public boolean isOff() {
    return far > MANY * (units - constant);
  }
}
