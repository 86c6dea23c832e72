package dev.lamina.loss;

import dev.lamina.graph.Tensor;
import dev.lamina.tensor.TensorType;

/** What training makes small: a number for each example, from what the model says and what is true. */
public interface Loss {

  /** What the model's output means, and so how it is judged and turned into a prediction. */
  enum Task {
    /** One score for each class; the target is the class's index. */
    CLASSES,
    /** One score, positive for yes; the target is 0 or 1. */
    BINARY,
    /** Values to be met. */
    REGRESSION
  }

  /** What the output means under this loss. */
  Task task();

  /** The type of target that belongs to a model output of type {@code prediction}. */
  TensorType target(TensorType prediction);

  /**
   * The loss of each example.
   *
   * @param prediction the model's output [n, …]
   * @param target of type {@link #target}
   * @return [n]
   */
  Tensor perExample(Tensor prediction, Tensor target);
}
