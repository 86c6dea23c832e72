package dev.lamina.train.pretrain;

import dev.lamina.graph.Tensor;

/**
 * How a restricted Boltzmann machine learns (Hinton 2002): what its units do together when they see data, minus what
 * they do after {@code steps} alternating samples of all hidden and all visible units, CD-k.
 *
 * <p>As Hinton's guide advises (2010, section 3), hidden states that make a reconstruction are sampled, and
 * probabilities take the place of states where nothing but noise would come of sampling: in the statistics of both
 * phases, and in the last reconstruction.
 *
 * @param steps k, 1 or more
 * @param sampled whether the last reconstruction is sampled too; CD-k comes as close as one likes to the gradient of
 *     the likelihood with growing k only then, with more noise
 */
public record ContrastiveDivergence(int steps, boolean sampled) {
  public ContrastiveDivergence {
    if (steps < 1) {
      throw new IllegalArgumentException("contrastive divergence takes 1 step or more, got " + steps);
    }
  }

  /** With probabilities as the last reconstruction. */
  public ContrastiveDivergence(int steps) {
    this(steps, false);
  }

  /**
   * Means over the examples.
   *
   * @param weight of the products of hidden and visible units, [hidden, visible]
   * @param visible of visible units, [visible]
   * @param hidden of hidden units, [hidden]
   */
  public record Statistics(Tensor weight, Tensor visible, Tensor hidden) {
    private static Statistics of(Tensor v, Tensor h) {
      double share = 1.0 / v.shape().dim(0);
      return new Statistics(h.matmul(v, true, false).times(share), v.mean(0), h.mean(0));
    }

    private Statistics minus(Statistics other) {
      return new Statistics(weight.minus(other.weight), visible.minus(other.visible), hidden.minus(other.hidden));
    }
  }

  /**
   * What one batch says.
   *
   * @param data statistics where the visible units are data
   * @param model the same after {@code steps} steps
   * @param reconstruction the means of visible units after the first step, [n, visible]
   */
  public record Outcome(Statistics data, Statistics model, Tensor reconstruction) {
    /** Where to go: an estimate of the gradient of the mean log-likelihood by weight and biases. */
    public Statistics ascent() {
      return data.minus(model);
    }
  }

  /**
   * Adds the operations for a batch.
   *
   * @param v data, [n, visible]
   */
  public Outcome of(Rbm rbm, Tensor v, Noise noise) {
    Tensor probabilities = rbm.hidden(v);
    Statistics data = Statistics.of(v, probabilities);
    Tensor reconstruction = null;
    Tensor states = v;
    for (int step = 1; step <= steps; step++) {
      Tensor hidden = noise.binary(probabilities, "hidden" + step);
      Tensor means = rbm.visible(hidden);
      if (step == 1) {
        reconstruction = means;
      }
      states = step == steps && !sampled ? means : sample(rbm, means, noise, step);
      probabilities = rbm.hidden(states);
    }
    return new Outcome(data, Statistics.of(states, probabilities), reconstruction);
  }

  private static Tensor sample(Rbm rbm, Tensor means, Noise noise, int step) {
    return switch (rbm.units()) {
      case BINARY -> noise.binary(means, "visible" + step);
      case GAUSSIAN -> noise.gaussian(means, "visible" + step);
    };
  }
}
