package dev.lamina.train.pretrain;

import static dev.lamina.graph.Exprs.input;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op.ReduceKind;
import dev.lamina.graph.Tensor;

/**
 * A restricted Boltzmann machine in a graph (Smolensky 1986): visible units v and binary hidden units h, with weights
 * between the two kinds only. Its probabilities are {@code exp(−E) / Z} with the energy {@code E(v, h) = −b·v − c·h −
 * h·W·v} for binary visible units, {@code ½|v − b|² − c·h − h·W·v} for Gaussian ones (Hinton 2010, sections 2 and
 * 13.2).
 *
 * @param units what visible units are
 * @param weight W, [hidden, visible]: that of a dense layer from the visible to the hidden units
 * @param visibleBias b, [visible]
 * @param hiddenBias c, [hidden]
 */
public record Rbm(VisibleUnits units, Tensor weight, Tensor visibleBias, Tensor hiddenBias) {
  /**
   * Checks that the parts belong together.
   *
   * @throws IllegalArgumentException if they do not
   */
  public Rbm {
    if (weight.shape().rank() != 2
        || visibleBias.shape().size() != weight.shape().dim(1)
        || hiddenBias.shape().size() != weight.shape().dim(0)) {
      throw new IllegalArgumentException(
          "a restricted Boltzmann machine has a weight [hidden, visible] and as many biases, got "
              + weight.shape()
              + ", "
              + visibleBias.shape()
              + " and "
              + hiddenBias.shape());
    }
  }

  /** The probability of each hidden unit to be on, {@code σ(c + W·v)}: [n, visible] to [n, hidden]. */
  public Tensor hidden(Tensor v) {
    return hiddenInput(v).map(Exprs::sigmoid);
  }

  /** The mean of each visible unit, {@code σ(b + Wᵀ·h)} or {@code b + Wᵀ·h}: [n, hidden] to [n, visible]. */
  public Tensor visible(Tensor h) {
    Tensor in = h.matmul(weight).plus(visibleBias);
    return switch (units) {
      case BINARY -> in.map(Exprs::sigmoid);
      case GAUSSIAN -> in;
    };
  }

  /**
   * The free energy, [n, visible] to [n]: {@code exp(−F(v))} is the sum of {@code exp(−E(v, h))} over all h, so that
   * {@code F = −b·v − Σ log(1 + exp(c + W·v))}, or {@code ½|v − b|²} in place of the first term (Hinton 2010, section
   * 16.1).
   */
  public Tensor freeEnergy(Tensor v) {
    Expr own =
        switch (units) {
          case BINARY -> Exprs.neg(Exprs.mul(input(0), input(1)));
          case GAUSSIAN -> {
            Expr distance = Exprs.sub(input(0), input(1));
            yield Exprs.mul(Exprs.mul(distance, distance), 0.5);
          }
        };
    Tensor visible = v.reduce(ReduceKind.SUM, own, v.dtype(), new int[] {1}, visibleBias);
    Tensor in = hiddenInput(v);
    return visible.minus(in.reduce(ReduceKind.SUM, Exprs.softplus(input(0)), v.dtype(), new int[] {1}));
  }

  private Tensor hiddenInput(Tensor v) {
    return v.matmul(weight, false, true).plus(hiddenBias);
  }
}
