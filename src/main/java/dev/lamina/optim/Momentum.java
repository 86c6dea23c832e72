package dev.lamina.optim;

import static dev.lamina.optim.Update.MORE;
import static dev.lamina.optim.Update.RATE;
import static dev.lamina.optim.Update.WEIGHT;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Tensor;
import java.util.List;

/**
 * Gradient descent with momentum (Polyak 1964): {@code v ← momentum·v + g; w ← w − rate·v}, v from 0. PyTorch's {@code
 * SGD(momentum=…)} without dampening. The course CS231n has the rate within v ({@code v ← momentum·v − rate·g; w ← w +
 * v}): the same while the rate stays.
 *
 * @param momentum share of the former velocity that is kept; 0.9
 * @param l2 as in {@link Sgd}
 */
public record Momentum(double momentum, double l2) implements Optimizer {
  public Momentum {
    Hyperparameters.requireShare("momentum", "momentum", momentum);
    Hyperparameters.requireNotNegative("momentum", "l2", l2);
  }

  /** 0.9. */
  public Momentum() {
    this(0.9);
  }

  /** Without regularisation. */
  public Momentum(double momentum) {
    this(momentum, 0);
  }

  @Override
  public Tensor next(Update update) {
    Tensor velocity = update.slot("momentum");
    Expr next = Exprs.add(Exprs.mul(Exprs.input(MORE), momentum), update.regularised(l2));
    return update.apply(Exprs.sub(WEIGHT, Exprs.mul(RATE, next)), List.of(velocity), List.of(next));
  }
}
