package dev.lamina.train;

/**
 * What one update did to a weight.
 *
 * @param name of the weight, with the path of its layer
 * @param norm Euclidean, before the update
 * @param gradientNorm of the gradient of the loss, before clipping
 * @param updateNorm of the difference that the update made
 */
public record WeightStatistics(String name, double norm, double gradientNorm, double updateNorm) {

  /** Whether what goes through its layer is multiplied by it, not only shifted as by a bias. */
  public boolean multiplies() {
    return name.endsWith("weight") || name.endsWith("recurrent");
  }

  /** {@code |g| / |w|}: what plain SGD changes it by is this times the rate. */
  double relativeGradient() {
    return gradientNorm / norm;
  }

  /**
   * {@code |Δw| / |w|}: about 1e-3 is usual (Karpathy, CS231n, "Babysitting the learning process"). Infinite while all
   * weights are 0.
   */
  public double updateRatio() {
    return updateNorm / norm;
  }
}
