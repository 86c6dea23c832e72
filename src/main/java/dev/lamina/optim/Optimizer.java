package dev.lamina.optim;

import dev.lamina.graph.Tensor;

/**
 * How weights follow their gradients: an expression over flat vectors, for all weights at once. It is asked twice, for
 * the weights that decay and for those that do not (biases and the scales of norms).
 */
@FunctionalInterface
public interface Optimizer {

  /**
   * The weights after this step.
   *
   * @param update the weights, their gradient, the learning rate, and the memory of former steps, whose next values are
   *     set on it
   * @return of the type of {@code update.weight()}
   */
  Tensor next(Update update);

  /**
   * The L2 regularisation that it adds to gradients: the derivative of a penalty {@code ½·l2·Σw²}, which reported
   * losses leave out; 0 for none.
   */
  default double l2() {
    return 0;
  }
}
