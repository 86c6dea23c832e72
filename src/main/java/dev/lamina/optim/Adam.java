package dev.lamina.optim;

import dev.lamina.graph.Tensor;

/**
 * Momentum and a rate for each weight, both corrected for having begun at 0 (Kingma and Ba 2014, algorithm 1):
 *
 * <pre>{@code
 * m ← β1·m + (1 − β1)·g          v ← β2·v + (1 − β2)·g²
 * w ← w − rate / (1 − β1ᵗ) · m / (√v / √(1 − β2ᵗ) + ε)
 * }</pre>
 *
 * PyTorch's {@code Adam}, whose rate is 0.001 by default.
 *
 * @param beta1 share of the former mean that is kept; 0.9
 * @param beta2 share of the former mean square that is kept; 0.999
 * @param epsilon keeps a weight without gradients from dividing by 0; 1e-8
 * @param l2 as in {@link Sgd}: it goes through mean and square like any gradient, so large gradients weaken it; {@link
 *     AdamW} keeps decay apart
 */
public record Adam(double beta1, double beta2, double epsilon, double l2) implements Optimizer {
  public Adam {
    AdamStep.requireValid("adam", beta1, beta2, epsilon);
    Hyperparameters.requireNotNegative("adam", "l2", l2);
  }

  /** β 0.9 and 0.999, ε 1e-8, without regularisation. */
  public Adam() {
    this(0.9, 0.999, 1e-8, 0);
  }

  @Override
  public Tensor next(Update update) {
    return new AdamStep(beta1, beta2, epsilon).next(update, Update.WEIGHT, update.regularised(l2));
  }
}
