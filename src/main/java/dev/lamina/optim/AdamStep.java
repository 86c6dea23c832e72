package dev.lamina.optim;

import static dev.lamina.optim.Update.MORE;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import java.util.Collections;
import java.util.List;

/** What {@link Adam} and {@link AdamW} share. */
record AdamStep(double beta1, double beta2, double epsilon) {

  static void requireValid(String optimizer, double beta1, double beta2, double epsilon) {
    Hyperparameters.requireShare(optimizer, "beta1", beta1);
    Hyperparameters.requireShare(optimizer, "beta2", beta2);
    Hyperparameters.requireNotNegative(optimizer, "epsilon", epsilon);
  }

  /**
   * The step from {@code weight} along {@code gradient}, both expressions.
   *
   * @return the new weights
   */
  Tensor next(Update update, Expr weight, Expr gradient) {
    Tensor mean = update.slot("mean");
    Tensor square = update.slot("square");
    // Scalars of the step are computed once, not for each weight: rate / (1 − β1ᵗ) and √(1 − β2ᵗ).
    List<Expr> factors = List.of(Exprs.div(Exprs.input(1), correction(beta1)), Exprs.sqrt(correction(beta2)));
    Op.Map scalars = new Op.Map(factors, Collections.nCopies(2, update.weight().dtype()), update.rate().shape());
    List<Tensor> corrections = update.graph().add(scalars, List.of(update.step(), update.rate()));
    Expr nextMean = averaged(Exprs.input(MORE), beta1, gradient);
    Expr nextSquare = averaged(Exprs.input(MORE + 1), beta2, Exprs.mul(gradient, gradient));
    Expr size = Exprs.add(Exprs.div(Exprs.sqrt(nextSquare), Exprs.input(MORE + 3)), epsilon);
    Expr step = Exprs.div(Exprs.mul(Exprs.input(MORE + 2), nextMean), size);
    return update.apply(
        Exprs.sub(weight, step),
        List.of(mean, square),
        List.of(nextMean, nextSquare),
        corrections.toArray(Tensor[]::new));
  }

  /** {@code 1 − βᵗ}, as −expm1(t·ln β): exact in a float where 1 − βᵗ would cancel. */
  private static Expr correction(double beta) {
    return beta == 0 ? Exprs.constant(1) : Exprs.neg(Exprs.expm1(Exprs.mul(Exprs.input(0), StrictMath.log(beta))));
  }

  private static Expr averaged(Expr average, double kept, Expr value) {
    return Exprs.add(Exprs.mul(average, kept), Exprs.mul(value, 1 - kept));
  }
}
