package dev.lamina.nn;

import dev.lamina.graph.Tensor;

/**
 * {@code body(x) + shortcut(x)} (He et al. 2015): the input takes a way past the body, so the body learns what to
 * change. An activation after the sum is a layer of its own.
 *
 * @param body gives the shape that the shortcut gives
 * @param shortcut null for the identity; a projection (1×1 convolution, with the body's stride) where shapes change
 */
public record Residual(Layer body, Layer shortcut) implements Layer {
  public Residual {
    if (body == null) {
      throw new IllegalArgumentException("residual: the body is missing");
    }
  }

  /** Past the identity. */
  public Residual(Layer body) {
    this(body, null);
  }

  @Override
  public Tensor forward(Tensor x, Scope scope) {
    Tensor changed = scope.apply("body", body, x);
    Tensor kept = shortcut == null ? x : scope.apply("shortcut", shortcut, x);
    if (!changed.shape().equals(kept.shape())) {
      String hint = shortcut == null ? "; give it a projection as shortcut" : "";
      throw Inputs.refuse(
          "residual",
          "the body makes " + changed.shape() + ", the shortcut " + kept.shape() + " of " + x.shape() + hint,
          scope);
    }
    return changed.plus(kept);
  }
}
