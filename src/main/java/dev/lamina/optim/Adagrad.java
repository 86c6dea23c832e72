package dev.lamina.optim;

import static dev.lamina.optim.Update.MORE;
import static dev.lamina.optim.Update.RATE;
import static dev.lamina.optim.Update.WEIGHT;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Tensor;
import java.util.List;

/**
 * A rate for each weight that falls with all its gradients so far (Duchi et al. 2011): {@code s ← s + g²; w ← w −
 * rate·g / (√s + ε)}, s from 0. PyTorch's {@code Adagrad}, whose rate is 0.01 by default.
 *
 * @param epsilon keeps a weight without gradients from dividing by 0; 1e-10
 * @param l2 as in {@link Sgd}
 */
public record Adagrad(double epsilon, double l2) implements Optimizer {
  public Adagrad {
    Hyperparameters.requireNotNegative("adagrad", "epsilon", epsilon);
    Hyperparameters.requireNotNegative("adagrad", "l2", l2);
  }

  /** ε 1e-10, without regularisation. */
  public Adagrad() {
    this(1e-10, 0);
  }

  @Override
  public Tensor next(Update update) {
    Tensor sum = update.slot("square_sum");
    Expr gradient = update.regularised(l2);
    Expr next = Exprs.add(Exprs.input(MORE), Exprs.mul(gradient, gradient));
    Expr step = Exprs.div(gradient, Exprs.add(Exprs.sqrt(next), epsilon));
    return update.apply(Exprs.sub(WEIGHT, Exprs.mul(RATE, step)), List.of(sum), List.of(next));
  }
}
