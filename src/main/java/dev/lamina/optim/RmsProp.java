package dev.lamina.optim;

import static dev.lamina.optim.Update.MORE;
import static dev.lamina.optim.Update.RATE;
import static dev.lamina.optim.Update.WEIGHT;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * A rate for each weight by the size of its recent gradients (Tieleman and Hinton 2012; centred: Graves 2013): {@code s
 * ← α·s + (1 − α)·g²; w ← w − rate·g / (√s + ε)}, s from 0. With momentum that quotient is gathered, {@code b ←
 * momentum·b + g / (√s + ε); w ← w − rate·b}; centred, {@code s − m²} stands for s, with m the same average of g.
 * PyTorch's {@code RMSprop}, whose rate is 0.01 by default.
 *
 * @param alpha share of the former average that is kept; 0.99
 * @param epsilon keeps a weight without gradients from dividing by 0; 1e-8
 * @param momentum share of the former velocity that is kept; 0
 * @param centered whether gradients are measured from their mean
 * @param l2 as in {@link Sgd}
 */
public record RmsProp(double alpha, double epsilon, double momentum, boolean centered, double l2) implements Optimizer {
  public RmsProp {
    Hyperparameters.requireShare("rmsprop", "alpha", alpha);
    Hyperparameters.requireNotNegative("rmsprop", "epsilon", epsilon);
    Hyperparameters.requireShare("rmsprop", "momentum", momentum);
    Hyperparameters.requireNotNegative("rmsprop", "l2", l2);
  }

  /** α 0.99, ε 1e-8, neither momentum nor centring nor regularisation. */
  public RmsProp() {
    this(0.99, 1e-8, 0, false, 0);
  }

  @Override
  public Tensor next(Update update) {
    List<Tensor> slots = new ArrayList<>();
    List<Expr> nextSlots = new ArrayList<>();
    Expr gradient = update.regularised(l2);
    Expr spread = averaged(Exprs.mul(gradient, gradient), "square_average", update, slots, nextSlots);
    if (centered) {
      Expr mean = averaged(gradient, "gradient_average", update, slots, nextSlots);
      // Rounding can take the difference just below 0.
      spread = Exprs.max(Exprs.sub(spread, Exprs.mul(mean, mean)), Exprs.constant(0));
    }
    Expr step = Exprs.div(gradient, Exprs.add(Exprs.sqrt(spread), epsilon));
    if (momentum > 0) {
      step = Exprs.add(Exprs.mul(Exprs.input(MORE + slots.size()), momentum), step);
      slots.add(update.slot("momentum"));
      nextSlots.add(step);
    }
    return update.apply(Exprs.sub(WEIGHT, Exprs.mul(RATE, step)), slots, nextSlots);
  }

  private Expr averaged(Expr value, String name, Update update, List<Tensor> slots, List<Expr> nextSlots) {
    Expr next = Exprs.add(Exprs.mul(Exprs.input(MORE + slots.size()), alpha), Exprs.mul(value, 1 - alpha));
    slots.add(update.slot(name));
    nextSlots.add(next);
    return next;
  }
}
