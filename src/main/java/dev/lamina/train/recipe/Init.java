package dev.lamina.train.recipe;

import dev.lamina.nn.Conv2d;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Layer;
import dev.lamina.nn.LayerTree;
import dev.lamina.nn.activation.Maxout;
import dev.lamina.nn.init.Initializer;

/**
 * How all dense, convolution and maxout layers of a model begin, whatever they say themselves; norms are left alone.
 *
 * @param weight fills weights; null leaves each layer its own
 * @param bias fills biases; null leaves each layer its own, and a layer without bias never gets one
 */
public record Init(Initializer weight, Initializer bias) {

  /** The same layers, initialised this way. */
  Layer of(Layer layer) {
    return LayerTree.map(layer, this::ofLeaf);
  }

  private Layer ofLeaf(Layer layer) {
    return switch (layer) {
      case Dense dense -> new Dense(dense.units(), weight(dense.weight()), bias(dense.bias()));
      case Conv2d c ->
          new Conv2d(
              c.filters(),
              c.kernel(),
              c.stride(),
              c.padding(),
              c.dilation(),
              c.groups(),
              weight(c.weight()),
              bias(c.bias()));
      case Maxout maxout -> new Maxout(maxout.units(), maxout.pieces(), weight(maxout.weight()), bias(maxout.bias()));
      default -> layer;
    };
  }

  private Initializer weight(Initializer own) {
    return weight == null ? own : weight;
  }

  private Initializer bias(Initializer own) {
    return bias == null || own == null ? own : bias;
  }
}
