package dev.lamina.nn.init;

import dev.lamina.tensor.Shape;

/**
 * How many connections a weight of a layer stands among. Dense weights are [out, in], filters [out, kh, kw, in /
 * groups].
 */
public enum Fan {
  /** Inputs of one output: {@code kh·kw·in / groups}. Keeps the variance of activations on the way forward. */
  IN,
  /**
   * Outputs of one input: {@code out·kh·kw}, not divided by groups, as in PyTorch. Keeps the variance of gradients on
   * the way backward.
   */
  OUT,
  /** The mean of both. */
  AVERAGE;

  /**
   * This fan of a weight of {@code shape}.
   *
   * @throws IllegalArgumentException if the shape has fewer than two dimensions, as a bias has
   */
  double of(Shape shape) {
    if (shape.rank() < 2) {
      throw new IllegalArgumentException(
          "init: "
              + shape
              + " has no fan, which takes at least [out, in]; give biases zeros, a constant, or a scale of their own");
    }
    double in = shape.sliceSize();
    double out = (double) shape.dim(0) * (shape.sliceSize() / shape.last());
    return switch (this) {
      case IN -> in;
      case OUT -> out;
      case AVERAGE -> (in + out) / 2;
    };
  }
}
