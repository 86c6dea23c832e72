package dev.lamina.train;

import dev.lamina.loss.Loss;
import dev.lamina.nn.Layer;
import dev.lamina.optim.GradientClip;
import dev.lamina.optim.Optimizer;
import dev.lamina.optim.Regularisation;
import dev.lamina.optim.WeightAveraging;
import dev.lamina.tensor.TensorType;

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

  /** Begins with what every model has, the rest of it left out. */
  public static Builder of(Layer model, TensorType example, Loss loss) {
    return new Builder(model, example, loss);
  }

  /** Begins with what a training with {@code options} compiles. */
  public static Builder of(Layer model, TensorType example, TrainingOptions options) {
    return of(model, example, options.loss())
        .optimizer(options.optimizer())
        .clip(options.clip())
        .accumulate(options.accumulate())
        .precision(options.precision())
        .seed(options.seed())
        .regularisation(options.regularisation())
        .observed(options.statisticsEvery() > 0)
        .averaging(options.averaging());
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
    return but().observed(false).build();
  }

  /** The same training in smaller passes, and other ones for an update. */
  ModelSpec withSmallerBatch(int examples, int passes) {
    return but()
        .batch(examples)
        .accumulate(passes)
        .evaluationBatch(Math.min(evaluationBatch, Math.max(examples, LEAST_EVALUATION)))
        .build();
  }

  /** Begins with all of this. */
  public Builder but() {
    return of(model, example, loss)
        .preparation(preparation)
        .optimizer(optimizer)
        .clip(clip)
        .batch(batch)
        .accumulate(accumulate)
        .evaluationBatch(evaluationBatch)
        .precision(precision)
        .seed(seed)
        .regularisation(regularisation)
        .observed(observed)
        .averaging(averaging);
  }

  /** Part by part; what is not named is left out, or 1. Each part is explained at the component of its name. */
  public static final class Builder {
    private final Layer model;
    private final TensorType example;
    private final Loss loss;
    private InputPreparation preparation;
    private Optimizer optimizer;
    private GradientClip clip;
    private int batch = 1;
    private int accumulate = 1;

    /** 0 for the batch of training. */
    private int evaluationBatch;

    private Precision precision = Precision.TF32;
    private long seed;
    private Regularisation regularisation;
    private boolean observed;
    private WeightAveraging averaging;

    private Builder(Layer model, TensorType example, Loss loss) {
      this.model = model;
      this.example = example;
      this.loss = loss;
    }

    /** What happens to the input first; null for nothing. */
    public Builder preparation(InputPreparation value) {
      preparation = value;
      return this;
    }

    /** How weights follow gradients; null for a model that is not trained. */
    public Builder optimizer(Optimizer value) {
      optimizer = value;
      return this;
    }

    /** Bounds gradients; null for none. */
    public Builder clip(GradientClip value) {
      clip = value;
      return this;
    }

    /** Examples that one pass takes. */
    public Builder batch(int value) {
      batch = value;
      return this;
    }

    /** Passes for one update. */
    public Builder accumulate(int value) {
      accumulate = value;
      return this;
    }

    /** Examples that one pass of evaluation or prediction takes; as many as one of training unless named. */
    public Builder evaluationBatch(int value) {
      evaluationBatch = value;
      return this;
    }

    /** Of parameters and activations; {@link Precision#TF32} unless named. */
    public Builder precision(Precision value) {
      precision = value;
      return this;
    }

    /** Of initial weights and dropout. */
    public Builder seed(long value) {
      seed = value;
      return this;
    }

    /** Holds weights down; null for none but the optimizer's. */
    public Builder regularisation(Regularisation value) {
      regularisation = value;
      return this;
    }

    /** Whether there is somebody who looks inside. */
    public Builder observed(boolean value) {
      observed = value;
      return this;
    }

    /** Of the weights that are judged and used; null for none. */
    public Builder averaging(WeightAveraging value) {
      averaging = value;
      return this;
    }

    /**
     * All together.
     *
     * @throws IllegalArgumentException if a number of examples or passes is below 1
     */
    public ModelSpec build() {
      return new ModelSpec(
          model,
          example,
          preparation,
          loss,
          optimizer,
          clip,
          batch,
          accumulate,
          evaluationBatch == 0 ? batch : evaluationBatch,
          precision,
          seed,
          regularisation,
          observed,
          averaging);
    }
  }
}
