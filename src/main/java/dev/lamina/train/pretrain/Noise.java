package dev.lamina.train.pretrain;

import static dev.lamina.graph.Exprs.input;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.RandomStream;
import dev.lamina.graph.Tensor;

/**
 * Random states: the same for the same seed, name and step on every device, as far as the probabilities are the same
 * bits.
 *
 * @param seed of the run
 * @param name tells the machines of a run apart
 * @param step the number of the step, I32 scalar
 */
public record Noise(long seed, String name, Tensor step) {
  /** Half of what lies between two neighbours of a uniform number with 24 bits: moves it off the ends 0 and 1. */
  private static final double HALF = 0x1p-25;

  /** Where the middle of {@link #quantile} ends, and the argument of its polynomials there. */
  private static final double MIDDLE = 0.425;

  private static final double MIDDLE_SQUARED = 0.180625;
  private static final double TAIL = 1.6;

  // Wichura 1988, PPND7: coefficients of rising powers, numerator and denominator.
  private static final double[] A = {3.3871327179, 50.434271938, 159.29113202, 59.109374720};
  private static final double[] B = {1, 17.895169469, 78.757757664, 67.187563600};
  private static final double[] C = {1.4234372777, 2.7568153900, 1.3067284816, 0.17023821103};
  private static final double[] D = {1, 0.73700164250, 0.12021132975};

  /**
   * 1 with the given probability, else 0.
   *
   * @param what tells the draws of a step apart
   */
  Tensor binary(Tensor probability, String what) {
    Expr uniform = new Expr.Uniform(stream(what));
    return probability.map(Exprs.select(Relation.LT, uniform, input(0), Exprs.constant(1), Exprs.constant(0)), step);
  }

  /** The given mean with noise of variance 1. */
  Tensor gaussian(Tensor mean, String what) {
    // From −½ to ½, exact in a float.
    Expr centred = Exprs.add(Exprs.sub(new Expr.Uniform(stream(what)), 0.5), HALF);
    Tensor q = mean.map(centred, step);
    return mean.map((m, z) -> Exprs.add(m, quantile(z)), q);
  }

  private RandomStream stream(String what) {
    return new RandomStream(seed, RandomStream.hash(name + "#" + what), 1);
  }

  /**
   * The value below which a standard normal number lies with probability {@code ½ + q}, to 7 digits (Wichura 1988, "The
   * percentage points of the normal distribution", AS 241), for |q| up to ½ − 1e-11.
   */
  static Expr quantile(Expr q) {
    Expr r = Exprs.sub(MIDDLE_SQUARED, Exprs.mul(q, q));
    Expr middle = Exprs.mul(q, Exprs.div(polynomial(A, r), polynomial(B, r)));
    Expr rest = Exprs.sub(0.5, Exprs.abs(q));
    Expr s = Exprs.sub(Exprs.sqrt(Exprs.neg(Exprs.log(rest))), TAIL);
    Expr tail = Exprs.mul(Exprs.sign(q), Exprs.div(polynomial(C, s), polynomial(D, s)));
    return Exprs.select(Relation.LE, Exprs.abs(q), Exprs.constant(MIDDLE), middle, tail);
  }

  private static Expr polynomial(double[] coefficients, Expr x) {
    Expr value = Exprs.constant(coefficients[coefficients.length - 1]);
    for (int i = coefficients.length - 2; i >= 0; i--) {
      value = Exprs.add(Exprs.mul(value, x), coefficients[i]);
    }
    return value;
  }
}
