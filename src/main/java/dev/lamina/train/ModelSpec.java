package dev.lamina.train;

import dev.lamina.graph.Tensor;
import dev.lamina.loss.Loss;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Scope;
import dev.lamina.optim.GradientClip;
import dev.lamina.optim.Optimizer;
import dev.lamina.optim.Regularisation;
import dev.lamina.optim.WeightAveraging;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.List;
import java.util.function.IntToDoubleFunction;

/**
 * What is compiled for training.
 *
 * @param model the network
 * @param example one example as the data set has it: U8[28,28,1], F32[2]
 * @param preparation what happens to the input before the first layer; null for nothing
 * @param loss what is made small
 * @param optimizer how weights follow gradients; null for a model that is only used and judged, which takes less memory
 *     and predicts few examples sooner
 * @param clip bounds gradients, or null
 * @param batch examples that one pass takes
 * @param accumulate passes whose gradients are averaged for one update; 1 is the rule
 * @param evaluationBatch examples that one pass of evaluation or prediction takes
 * @param precision of parameters and activations
 * @param seed of initial weights and dropout
 * @param regularisation holds weights down, or null
 * @param observed whether {@link CompiledModel#observe} can look inside; that takes memory for a copy of the weights
 * @param averaging of the weights that are judged and used, which takes memory for a copy of them; null for none
 */
public record ModelSpec(
    Layer model,
    TensorType example,
    InputPreparation preparation,
    Loss loss,
    Optimizer optimizer,
    GradientClip clip,
    int batch,
    int accumulate,
    int evaluationBatch,
    Precision precision,
    long seed,
    Regularisation regularisation,
    boolean observed,
    WeightAveraging averaging) {
  private static final int LEAST_EVALUATION = 64;

  /**
   * {@code (x·factor − mean) / deviation}, by channel, of numbers that are known without data.
   *
   * @param factor brings the raw input to the unit of mean and deviation: 1/255 for bytes
   * @param mean of each channel
   * @param deviation the standard deviation of each channel, above 0
   */
  public record InputScaling(double factor, List<Double> mean, List<Double> deviation) implements InputPreparation {
    public InputScaling {
      mean = List.copyOf(mean);
      deviation = List.copyOf(deviation);
      if (mean.size() != deviation.size() || mean.isEmpty() || deviation.stream().anyMatch(d -> !(d > 0))) {
        throw new IllegalArgumentException(
            "input scaling: expected a mean and a deviation above 0 for each channel, got "
                + mean
                + " and "
                + deviation);
      }
    }

    @Override
    public Tensor prepare(Tensor images, Scope scope, Precision precision) {
      Shape channels = Shape.of(mean.size());
      Tensor offset = scope.statistic("preprocessing.offset", channels, (target, _) -> fill(target, mean::get));
      Tensor scale =
          scope.statistic("preprocessing.scale", channels, (target, _) -> fill(target, c -> 1 / deviation.get(c)));
      return InputPreparation.scaled(images, factor, offset, scale, precision.activations());
    }

    private static void fill(HostTensor target, IntToDoubleFunction values) {
      for (int c = 0; c < target.size(); c++) {
        target.set(c, values.applyAsDouble(c));
      }
    }
  }

  public ModelSpec {
    if (batch < 1 || accumulate < 1 || evaluationBatch < 1) {
      throw new IllegalArgumentException(
          "batch, accumulate and evaluation batch are 1 or more, got "
              + batch
              + ", "
              + accumulate
              + ", "
              + evaluationBatch);
    }
  }

  /** A model without regularisation but the optimizer's and without averages, that nobody looks into. */
  public ModelSpec(
      Layer model,
      TensorType example,
      InputPreparation preparation,
      Loss loss,
      Optimizer optimizer,
      GradientClip clip,
      int batch,
      int accumulate,
      int evaluationBatch,
      Precision precision,
      long seed) {
    this(
        model,
        example,
        preparation,
        loss,
        optimizer,
        clip,
        batch,
        accumulate,
        evaluationBatch,
        precision,
        seed,
        null,
        false,
        null);
  }

  /** What a training with {@code options} compiles, in batches of the given sizes. */
  public ModelSpec(
      Layer model,
      TensorType example,
      InputPreparation preparation,
      TrainingOptions options,
      int batch,
      int evaluationBatch) {
    this(
        model,
        example,
        preparation,
        options.loss(),
        options.optimizer(),
        options.clip(),
        batch,
        options.accumulate(),
        evaluationBatch,
        options.precision(),
        options.seed(),
        options.regularisation(),
        options.statisticsEvery() > 0,
        options.averaging());
  }

  /**
   * The usual batch of evaluation beside a training with batches of {@code batch}: as large, but enough to keep a
   * device busy, and no larger than what evaluation gains from.
   */
  public static int evaluationBatchFor(int batch) {
    return Math.clamp(batch, LEAST_EVALUATION, 512);
  }

  /** Whether there are passes that train. */
  boolean trains() {
    return optimizer != null;
  }

  /** The same without anybody who looks inside. */
  ModelSpec unobserved() {
    return with(batch, accumulate, evaluationBatch, false);
  }

  /** The same training in smaller passes, and other ones for an update. */
  ModelSpec withSmallerBatch(int examples, int passes) {
    return with(examples, passes, Math.min(evaluationBatch, Math.max(examples, LEAST_EVALUATION)), observed);
  }

  private ModelSpec with(int examples, int passes, int judged, boolean looksInside) {
    return new ModelSpec(
        model,
        example,
        preparation,
        loss,
        optimizer,
        clip,
        examples,
        passes,
        judged,
        precision,
        seed,
        regularisation,
        looksInside,
        averaging);
  }
}
