package dev.lamina.optim;

import static dev.lamina.optim.Update.MORE;
import static dev.lamina.optim.Update.RATE;
import static dev.lamina.optim.Update.WEIGHT;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Tensor;
import java.util.List;

/**
 * Momentum that looks ahead (Nesterov 1983; Sutskever et al. 2013): {@code v ← momentum·v + g; w ← w − rate·(g +
 * momentum·v)}, v from 0. PyTorch's {@code SGD(nesterov=True)}, in which w is the point that is looked ahead to.
 *
 * @param momentum share of the former velocity that is kept; 0.9
 * @param l2 as in {@link Sgd}
 */
public record Nesterov(double momentum, double l2) implements Optimizer {
  public Nesterov {
    Hyperparameters.requireShare("nesterov", "momentum", momentum);
    Hyperparameters.requireNotNegative("nesterov", "l2", l2);
  }

  /** 0.9. */
  public Nesterov() {
    this(0.9);
  }

  /** Without regularisation. */
  public Nesterov(double momentum) {
    this(momentum, 0);
  }

  @Override
  public Tensor next(Update update) {
    Tensor velocity = update.slot("momentum");
    Expr gradient = update.regularised(l2);
    Expr next = Exprs.add(Exprs.mul(Exprs.input(MORE), momentum), gradient);
    Expr step = Exprs.add(gradient, Exprs.mul(next, momentum));
    return update.apply(Exprs.sub(WEIGHT, Exprs.mul(RATE, step)), List.of(velocity), List.of(next));
  }
}
