package dev.lamina.nn.activation;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Tensor;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Scope;

/**
 * A function of each value by itself. One of your own is one line, without device code and without derivative:
 *
 * <pre>{@code
 * Activation swish = x -> Exprs.mul(x, Exprs.sigmoid(x));
 * }</pre>
 *
 * <p>NaN and infinity are let through: where an activation has branches, NaN belongs to one that keeps it, so
 * conditions are of the form {@code x <= bound ? constant : f(x)}. At a kink the derivative is that of the branch that
 * is taken, which is what PyTorch has.
 */
@FunctionalInterface
public interface Activation extends Layer {

  /** The function of {@code x}. */
  Expr apply(Expr x);

  @Override
  @SuppressWarnings(
      "FunctionalInterfaceMethodChanged") // A lambda for a Layer takes two arguments, one for an Activation takes one.
  default Tensor forward(Tensor x, Scope scope) {
    return x.map(this::apply);
  }
}
