package dev.lamina.nn;

import dev.lamina.graph.Tensor;
import java.util.List;

/**
 * Layers one after the other. Each is named by its kind and a number that counts that kind, {@code conv2d1, batchnorm1,
 * conv2d2}, or as {@link Named} says.
 *
 * @param layers the first takes the input
 */
public record Sequential(List<Layer> layers) implements Layer {
  public Sequential {
    layers = List.copyOf(layers);
  }

  public Sequential(Layer... layers) {
    this(List.of(layers));
  }

  @Override
  public Tensor forward(Tensor x, Scope scope) {
    return scope.applyAll(layers, x);
  }
}
