package dev.lamina.nn;

import dev.lamina.graph.Tensor;

/**
 * A layer under a name of its own, which its parameters bear: {@code new Named("stem", new Conv2d(16, 3))} in a {@link
 * Sequential} has {@code stem.weight}.
 *
 * @param name letters, digits, hyphens and underscores
 * @param layer what is named
 */
public record Named(String name, Layer layer) implements Layer {
  public Named {
    if (!name.matches("[\\w-]+")) {
      throw new IllegalArgumentException(
          "a layer's name is made of letters, digits, hyphens and underscores, got '" + name + "'");
    }
  }

  @Override
  public Tensor forward(Tensor x, Scope scope) {
    return scope.apply(name, layer, x);
  }
}
