package dev.lamina.train.pretrain;

/**
 * How each layer is pre-trained; what is left open here (seed, batch, preparation of inputs) is as in the training that
 * follows.
 *
 * @param epochs passes over the data for each layer, 1 or more
 * @param learning contrastive divergence
 * @param rate the learning rate of machines with binary visible units
 * @param gaussianRate that of machines with Gaussian ones: much smaller, since nothing bounds a reconstruction (Hinton
 *     2010, section 13.2)
 * @param momentum the share of the last step that is done again, in [0, 1)
 * @param firstMomentum the same in the first {@code firstEpochs} epochs, while the error falls fast
 * @param firstEpochs 0 or more
 * @param weightDecay the share of a weight, before the rate, that each update takes away
 */
public record PretrainingOptions(
    int epochs,
    ContrastiveDivergence learning,
    double rate,
    double gaussianRate,
    double momentum,
    double firstMomentum,
    int firstEpochs,
    double weightDecay) {

  /** CD-1 for ten epochs, and the numbers of Hinton's guide (2010). */
  public static final PretrainingOptions DEFAULTS =
      new PretrainingOptions(10, new ContrastiveDivergence(1), 0.1, 0.001, 0.9, 0.5, 5, 2e-4);

  /**
   * Checks all numbers.
   *
   * @throws IllegalArgumentException if one is out of its range
   */
  public PretrainingOptions {
    if (epochs < 1) {
      throw new IllegalArgumentException("epochs: expected 1 or more for each layer, got " + epochs);
    }
    requireRate(rate);
    requireRate(gaussianRate);
    requireMomentum(momentum);
    requireMomentum(firstMomentum);
    if (firstEpochs < 0) {
      throw new IllegalArgumentException("epochs with the first momentum: expected 0 or more, got " + firstEpochs);
    }
    if (!(weightDecay >= 0) || Double.isInfinite(weightDecay)) {
      throw new IllegalArgumentException("weight decay is a number of 0 or more, got " + weightDecay);
    }
  }

  private static void requireRate(double rate) {
    if (!(rate > 0) || Double.isInfinite(rate)) {
      throw new IllegalArgumentException("the learning rate is a number above 0, got " + rate);
    }
  }

  private static void requireMomentum(double momentum) {
    if (!(momentum >= 0 && momentum < 1)) {
      throw new IllegalArgumentException("momentum is at least 0 and less than 1, got " + momentum);
    }
  }

  /** The learning rate of a machine with such visible units. */
  public double rate(VisibleUnits units) {
    return switch (units) {
      case BINARY -> rate;
      case GAUSSIAN -> gaussianRate;
    };
  }

  /** The momentum of an epoch, counted from 1. */
  double momentum(int epoch) {
    return epoch <= firstEpochs ? firstMomentum : momentum;
  }
}
