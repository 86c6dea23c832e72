package dev.lamina.optim;

import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What holds weights down beside the L2 or decay of an optimizer. Biases and the scales of norms are left alone.
 *
 * @param l1 adds {@code l1·sign(w)} to the gradient, the derivative of a penalty {@code l1·Σ|w|} (Tibshirani 1996): it
 *     makes weights zero that are of no use; 0 for none
 * @param maxNorm after each update the weights that lead into one unit (a row of a dense weight, a filter) are scaled
 *     so that their Euclidean norm is at most this (Srivastava et al. 2014, section 5.1); 0 for none
 */
public record Regularisation(double l1, double maxNorm) {
  public Regularisation {
    Hyperparameters.requireNotNegative("regularisation", "l1", l1);
    Hyperparameters.requireNotNegative("regularisation", "max norm", maxNorm);
  }

  /** Neither. */
  public Regularisation() {
    this(0, 0);
  }

  /** The gradient of loss and penalty together. */
  public Tensor penalised(Tensor gradient, Tensor weight) {
    return l1 == 0 ? gradient : gradient.map((g, w) -> Exprs.add(g, Exprs.mul(Exprs.sign(w), l1)), weight);
  }

  /**
   * New weights within their bound.
   *
   * @param next the new value of {@code pack}, a flat vector
   * @param pack of weights
   */
  public Tensor bounded(Tensor next, Variable pack) {
    if (maxNorm == 0) {
      return next;
    }
    List<Variable> members = pack.members();
    List<Tensor> parts = new ArrayList<>();
    for (int i = 0; i < members.size(); i++) {
      Shape shape = members.get(i).type().shape();
      int first = Math.toIntExact(pack.memberOffset(i));
      Tensor part = next.slice(0, first, Math.toIntExact(first + shape.size())).reshape(shape);
      parts.add(shape.rank() < 2 ? part : bounded(part));
    }
    List<Long> offsets = IntStream.range(0, members.size()).mapToObj(pack::memberOffset).toList();
    return next.graph().add(new Op.Pack(offsets, pack.type().shape().dim(0)), parts).getFirst();
  }

  /** Each slice along the first axis is a unit. */
  private Tensor bounded(Tensor weight) {
    int units = weight.shape().dim(0);
    Tensor rows = weight.reshape(units, Math.toIntExact(weight.shape().size() / units));
    var square = Exprs.mul(Exprs.input(0), Exprs.input(0));
    Tensor squares = rows.reduce(Op.ReduceKind.SUM, square, rows.dtype(), new int[] {1}).reshape(units, 1);
    // Of a norm of 0 the bound is infinitely far away.
    var scale = Exprs.min(Exprs.constant(1), Exprs.div(maxNorm, Exprs.sqrt(Exprs.input(1))));
    return rows.map(Exprs.mul(Exprs.input(0), scale), squares).reshape(weight.shape());
  }
}
