package dev.lamina.train;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Tensor;
import dev.lamina.nn.Scope;
import dev.lamina.tensor.DType;

/** What a model's program does to raw inputs before the first layer. Its numbers are statistics of the model. */
public interface InputPreparation {
  /**
   * Adds the operations.
   *
   * @param images a batch of raw inputs, [n, …]
   * @param scope of the whole model
   * @param precision of the model
   * @return [n, …] in the type of activations
   * @throws IllegalArgumentException if the numbers are for inputs of another shape
   */
  Tensor prepare(Tensor images, Scope scope, Precision precision);

  /**
   * {@code (images · factor − offset) · scale}, each repeated to the shape of the images.
   *
   * @param scale null for 1
   * @param result the element type
   */
  static Tensor scaled(Tensor images, double factor, Tensor offset, Tensor scale, DType result) {
    Expr centred = Exprs.sub(Exprs.mul(Exprs.input(0), factor), Exprs.input(1));
    Tensor prepared =
        scale == null
            ? images.map(centred, result, offset)
            : images.map(Exprs.mul(centred, Exprs.input(2)), result, offset, scale);
    if (!prepared.shape().equals(images.shape())) {
      throw new IllegalArgumentException(
          "the preparation of inputs is for " + offset.shape() + ", the data has " + images.shape() + " [n, …]");
    }
    return prepared;
  }
}
