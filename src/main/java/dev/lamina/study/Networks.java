package dev.lamina.study;

import dev.lamina.nn.BatchNorm;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Flatten;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.init.Initializer;
import dev.lamina.nn.init.Zeros;
import java.util.ArrayList;
import java.util.List;

/** The fully connected networks that classic experiments are about. */
public final class Networks {
  private Networks() {}

  /**
   * {@code depth} hidden layers of {@code width} units between the input and {@code classes} logits; biases begin at 0.
   * The layers are flatten, then dense and activation by turns, then dense.
   *
   * @param weight begins all layers
   */
  public static Sequential dense(int depth, int width, int classes, Layer activation, Initializer weight) {
    return dense(depth, width, classes, activation, weight, false);
  }

  /** The same, with batch norm in front of each activation if {@code normalised}. */
  public static Sequential dense(
      int depth, int width, int classes, Layer activation, Initializer weight, boolean normalised) {
    List<Layer> layers = new ArrayList<>(List.of(new Flatten()));
    for (int i = 0; i < depth; i++) {
      layers.add(new Dense(width, weight, normalised ? null : new Zeros()));
      if (normalised) {
        layers.add(new BatchNorm());
      }
      layers.add(activation);
    }
    layers.add(new Dense(classes, weight, new Zeros()));
    return new Sequential(layers);
  }
}
