package dev.lamina.optim;

import static dev.lamina.optim.Update.RATE;
import static dev.lamina.optim.Update.WEIGHT;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Tensor;
import java.util.List;

/**
 * Stochastic gradient descent: {@code w ← w − rate·g}. PyTorch's {@code SGD} without momentum.
 *
 * @param l2 adds {@code l2·w} to the gradient, which is the derivative of a penalty {@code ½·l2·Σw²}: the course
 *     CS231n's ½λw², and PyTorch's {@code weight_decay}. A penalty {@code λ·Σw²} without the half is {@code l2 = 2λ}
 */
public record Sgd(double l2) implements Optimizer {
  public Sgd {
    Hyperparameters.requireNotNegative("sgd", "l2", l2);
  }

  /** Without regularisation. */
  public Sgd() {
    this(0);
  }

  @Override
  public Tensor next(Update update) {
    Expr next = Exprs.sub(WEIGHT, Exprs.mul(RATE, update.regularised(l2)));
    return update.apply(next, List.of(), List.of());
  }
}
