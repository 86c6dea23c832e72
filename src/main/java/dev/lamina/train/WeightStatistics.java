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

  /**
   * {@code |Δw| / |w|}: about 1e-3 is usual (Karpathy, CS231n, "Babysitting the learning process"). Infinite while all
   * weights are 0.
   */
  public double updateRatio() {
    return updateNorm / norm;
  }
}
