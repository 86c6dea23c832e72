package dev.lamina.train.pretrain;

import dev.lamina.graph.Tensor;
import dev.lamina.nn.Scope;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;
import dev.lamina.train.ModelSpec;

/**
 * What is compiled for one restricted Boltzmann machine.
 *
 * @param name begins the names of its variables: {@code weight} [hidden, visible], {@code bias} [hidden], {@code
 *     visible_bias} [visible]
 * @param units what visible units are
 * @param hidden the number of hidden units, 1 or more
 * @param example one raw input as the data set has it: U8[28,28,1]
 * @param stem makes visible units of raw inputs
 * @param learning how it learns
 * @param weightDecay the share of a weight, before the rate, that each update takes away; not of biases
 * @param batch examples of an update
 * @param evaluationBatch examples that are judged at a time
 * @param dtype of everything: F32, or F64 on the reference device
 * @param seed of weights and states
 */
public record RbmSpec(
    String name,
    VisibleUnits units,
    int hidden,
    TensorType example,
    Stem stem,
    ContrastiveDivergence learning,
    double weightDecay,
    int batch,
    int evaluationBatch,
    DType dtype,
    long seed) {

  /** What is in front of the visible units: preparation of inputs, layers that have learned already. */
  @FunctionalInterface
  public interface Stem {
    /**
     * Adds the operations.
     *
     * @param inputs a batch of raw inputs, [n, …]
     * @param scope of the whole model, in evaluation mode
     * @return [n, visible]
     */
    Tensor visible(Tensor inputs, Scope scope);
  }

  public RbmSpec {
    if (hidden < 1) {
      throw new IllegalArgumentException(name + ": a machine has 1 hidden unit or more, got " + hidden);
    }
    if (!(weightDecay >= 0) || Double.isInfinite(weightDecay)) {
      throw new IllegalArgumentException("weight decay is a number of 0 or more, got " + weightDecay);
    }
  }

  /** The same machine with other updates, and as many examples judged at a time as suits them. */
  RbmSpec withBatch(int examples) {
    int judged = Math.min(evaluationBatch, ModelSpec.evaluationBatchFor(examples));
    return new RbmSpec(name, units, hidden, example, stem, learning, weightDecay, examples, judged, dtype, seed);
  }
}
