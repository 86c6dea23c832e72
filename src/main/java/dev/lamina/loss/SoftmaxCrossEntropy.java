package dev.lamina.loss;

import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;

/**
 * Cross-entropy between the softmax of scores [n, classes] and what is true: {@code −log softmax(s)_y} for class y,
 * {@code −Σ t·log softmax(s)} for a distribution t. PyTorch's {@code CrossEntropyLoss}, label smoothing included: it
 * mixes the target with {@code labelSmoothing} of the uniform distribution (Szegedy et al. 2016). The network ends in
 * scores; a softmax layer before this loss would be a second one.
 *
 * @param labelSmoothing share of the target spread evenly over all classes, in [0, 1)
 * @param targets what the data says about an example
 */
public record SoftmaxCrossEntropy(double labelSmoothing, Targets targets) implements Loss {

  /** What the data says about an example. */
  public enum Targets {
    /** Its class: I32 [n]. */
    INDICES,
    /** A probability for each class: [n, classes]. */
    DISTRIBUTIONS
  }

  public SoftmaxCrossEntropy {
    if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
      throw new IllegalArgumentException(
          "softmax cross-entropy: expected a label smoothing of 0 or more and below 1, got " + labelSmoothing);
    }
    if (targets == null) {
      throw new IllegalArgumentException("softmax cross-entropy: the kind of targets is missing");
    }
  }

  /** Class indices, no smoothing. */
  public SoftmaxCrossEntropy() {
    this(0);
  }

  /** Class indices. */
  public SoftmaxCrossEntropy(double labelSmoothing) {
    this(labelSmoothing, Targets.INDICES);
  }

  @Override
  public Task task() {
    return Task.CLASSES;
  }

  @Override
  public TensorType target(TensorType prediction) {
    return targets == Targets.INDICES ? TensorType.of(DType.I32, prediction.shape().dim(0)) : prediction;
  }

  @Override
  public Tensor perExample(Tensor prediction, Tensor target) {
    return prediction.graph().one(new Op.SoftmaxCrossEntropy(labelSmoothing), prediction, target);
  }
}
