package dev.lamina.optim;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Tensor;

/**
 * {@link Adam} with weight decay apart from the gradient (Loshchilov and Hutter 2017): {@code w ← w·(1 −
 * rate·weightDecay)} before Adam's step. PyTorch's {@code AdamW}, whose rate is 0.001 by default.
 *
 * @param beta1 share of the former mean that is kept; 0.9
 * @param beta2 share of the former mean square that is kept; 0.999
 * @param epsilon keeps a weight without gradients from dividing by 0; 1e-8
 * @param weightDecay share of a weight that is taken away in each step, times the rate; 0.01
 */
public record AdamW(double beta1, double beta2, double epsilon, double weightDecay) implements Optimizer {
  public AdamW {
    AdamStep.requireValid("adamw", beta1, beta2, epsilon);
    Hyperparameters.requireNotNegative("adamw", "weight decay", weightDecay);
  }

  /** β 0.9 and 0.999, ε 1e-8, weight decay 0.01. */
  public AdamW() {
    this(0.01);
  }

  /** β 0.9 and 0.999, ε 1e-8. */
  public AdamW(double weightDecay) {
    this(0.9, 0.999, 1e-8, weightDecay);
  }

  @Override
  public Tensor next(Update update) {
    boolean decays = update.decayed() && weightDecay != 0;
    Expr kept = Exprs.sub(1, Exprs.mul(Update.RATE, weightDecay));
    Expr weight = decays ? Exprs.mul(Update.WEIGHT, kept) : Update.WEIGHT;
    return new AdamStep(beta1, beta2, epsilon).next(update, weight, Update.GRADIENT);
  }
}
