package dev.lamina.nn;

import dev.lamina.graph.Tensor;

/**
 * A part of a network: given a symbolic input, it adds operations to the graph and returns their result. Layers are
 * records without state: parameters live in the {@link Scope}, and a layer neither knows devices nor derivatives.
 */
@FunctionalInterface
public interface Layer {

  /**
   * Adds this layer to the graph of {@code x}.
   *
   * @param x images [n,h,w,c], vectors [n,features] or sequences [n,time,features]
   * @param scope hands out parameters, statistics and random streams under this layer's name
   * @throws IllegalArgumentException if it cannot take {@code x}, with the layer's path, what was expected and what
   *     came
   */
  Tensor forward(Tensor x, Scope scope);
}
