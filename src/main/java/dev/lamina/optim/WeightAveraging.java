package dev.lamina.optim;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;

/** Weights that are judged, saved and used are averages of those that training goes through. */
public sealed interface WeightAveraging {

  /**
   * An exponential moving average, renewed with each update: {@code a ← d·a + (1 − d)·w} (Polyak and Juditsky 1992;
   * Tarvainen and Valpola 2017). Its bias towards the beginning is corrected as Adam's is, by {@code 1 − dᵗ}, so that
   * it is at any time a mean of weights that training has had, and the first is the first. Running statistics of norms
   * are averaged along.
   *
   * @param decay d, above 0 and below 1: 0.999 looks back over about 1000 updates
   */
  record Ema(double decay) implements WeightAveraging {
    public Ema {
      if (!(decay > 0 && decay < 1)) {
        throw new IllegalArgumentException("ema: expected a decay above 0 and below 1, got " + decay);
      }
    }

    /**
     * The share of the new weights in the average: {@code (1 − d) / (1 − dᵗ)}. With it {@code a + share·(w − a)} is the
     * corrected average from one step to the next.
     *
     * @param step t, from 1
     */
    public Expr share(Expr step) {
      // −expm1(t·ln d): exact in a float where 1 − dᵗ would cancel.
      return Exprs.div(1 - decay, Exprs.neg(Exprs.expm1(Exprs.mul(step, StrictMath.log(decay)))));
    }
  }

  /**
   * Stochastic weight averaging (Izmailov et al. 2018): the mean of the weights at the ends of the last epochs, while
   * the rate stays where weights keep moving. Running statistics of norms are those of the averaged weights, from a
   * pass over the training data after each of these epochs. Before them weights are judged as they are.
   *
   * @param from the share of the epochs after which averaging begins, at least 0 and below 1
   * @param lr the learning rate from then on, instead of the schedule's; null for the schedule's
   */
  record Swa(double from, Double lr) implements WeightAveraging {
    public Swa {
      if (!(from >= 0 && from < 1)) {
        throw new IllegalArgumentException("swa: from is a share of the epochs, at least 0 and below 1, got " + from);
      }
      if (lr != null && !(lr > 0 && lr < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException("swa: the learning rate is a number above 0, got " + lr);
      }
    }

    /** From three quarters of the epochs on, at the schedule's rate. */
    public Swa() {
      this(0.75, null);
    }

    /** How many of {@code epochs} come before the first one that counts. */
    public int epochsBefore(int epochs) {
      return (int) Math.floor(from * epochs);
    }
  }
}
