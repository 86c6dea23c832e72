package dev.lamina.train;

import dev.lamina.data.BatchSize;
import dev.lamina.data.Preprocessing;
import dev.lamina.loss.Loss;
import dev.lamina.loss.SoftmaxCrossEntropy;
import dev.lamina.optim.Adam;
import dev.lamina.optim.GradientClip;
import dev.lamina.optim.Optimizer;
import dev.lamina.optim.Regularisation;
import dev.lamina.optim.WeightAveraging;
import dev.lamina.optim.schedule.Constant;
import dev.lamina.optim.schedule.Schedule;
import dev.lamina.tensor.TensorType;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * How a model is trained.
 *
 * @param loss what is made small
 * @param optimizer how weights follow gradients
 * @param rate the learning rate, which the schedule varies: its highest
 * @param schedule how the rate changes
 * @param clip bounds gradients, or null
 * @param epochs passes over the data, 1 or more
 * @param batch examples of one pass
 * @param accumulate passes whose gradients are averaged for one update, 1 or more
 * @param seed of initial weights, data order, dropout and the validation split
 * @param validationShare of the training data that is held out to judge by, 0 to less than 1
 * @param earlyStopping when to give up, or null for never
 * @param preprocessing what is done to inputs, with numbers from the training part; null for what is usual for them
 * @param precision of parameters and activations
 * @param regularisation holds weights down beside the optimizer's own decay, or null
 * @param from a run, or its model.safetensors, whose weights training begins with; null for initial ones
 * @param statisticsEvery so many updates listeners get {@link ModelStatistics}; 0 for never. A look takes the time of
 *     some three updates, and memory for a copy of the weights; it changes nothing of what is learned
 * @param averaging of the weights that are judged, saved and used, or null
 */
public record TrainingOptions(
    Loss loss,
    Optimizer optimizer,
    double rate,
    Schedule schedule,
    GradientClip clip,
    int epochs,
    BatchSize batch,
    int accumulate,
    long seed,
    double validationShare,
    EarlyStopping earlyStopping,
    Preprocessing preprocessing,
    Precision precision,
    Regularisation regularisation,
    Path from,
    int statisticsEvery,
    WeightAveraging averaging) {

  /**
   * Adam at 0.001 on softmax cross-entropy, 10 epochs of batches of 128, the rate constant; a twentieth is held out,
   * inputs are prepared as usual, nothing stops early, nobody looks inside.
   */
  public static final TrainingOptions DEFAULTS =
      new TrainingOptions(
          new SoftmaxCrossEntropy(),
          new Adam(),
          1e-3,
          new Constant(),
          null,
          10,
          new BatchSize.Fixed(128),
          1,
          0,
          0.05,
          null,
          null,
          Precision.TF32,
          null,
          null,
          0,
          null);

  public TrainingOptions {
    if (epochs < 1) {
      throw new IllegalArgumentException("epochs: expected 1 or more, got " + epochs);
    }
    if (accumulate < 1) {
      throw new IllegalArgumentException("accumulate: expected 1 or more passes, got " + accumulate);
    }
    if (!(rate > 0) || Double.isInfinite(rate)) {
      throw new IllegalArgumentException("the learning rate is a number above 0, got " + rate);
    }
    if (!(validationShare >= 0 && validationShare < 1)) {
      throw new IllegalArgumentException("the validation share is at least 0 and less than 1, got " + validationShare);
    }
    if (statisticsEvery < 0) {
      throw new IllegalArgumentException("statistics every: expected 0 or more updates, got " + statisticsEvery);
    }
  }

  /** These with another loss. */
  public TrainingOptions with(Loss other) {
    return changed(draft -> draft.loss = other);
  }

  /** These with another optimizer and its learning rate. */
  public TrainingOptions with(Optimizer other, double otherRate) {
    return changed(draft -> {
      draft.optimizer = other;
      draft.rate = otherRate;
    });
  }

  /** These with another schedule. */
  public TrainingOptions with(Schedule other) {
    return changed(draft -> draft.schedule = other);
  }

  /** These with another bound of gradients, or null. */
  public TrainingOptions with(GradientClip other) {
    return changed(draft -> draft.clip = other);
  }

  /** These with another number of epochs. */
  public TrainingOptions withEpochs(int other) {
    return changed(draft -> draft.epochs = other);
  }

  /** These with another batch. */
  public TrainingOptions with(BatchSize other) {
    return changed(draft -> draft.batch = other);
  }

  /** These with another number of passes for one update. */
  public TrainingOptions withAccumulate(int other) {
    return changed(draft -> draft.accumulate = other);
  }

  /** These with another seed. */
  public TrainingOptions withSeed(long other) {
    return changed(draft -> draft.seed = other);
  }

  /** These with another share held out. */
  public TrainingOptions withValidationShare(double other) {
    return changed(draft -> draft.validationShare = other);
  }

  /** These with another rule for stopping early, or null. */
  public TrainingOptions with(EarlyStopping other) {
    return changed(draft -> draft.earlyStopping = other);
  }

  /** These with another preprocessing, or null for what is usual for the data. */
  public TrainingOptions with(Preprocessing other) {
    return changed(draft -> draft.preprocessing = other);
  }

  /** What is done to inputs like {@code example}. */
  public Preprocessing preprocessingFor(TensorType example) {
    return preprocessing == null ? Preprocessing.usual(example) : preprocessing;
  }

  /** These with another precision. */
  public TrainingOptions with(Precision other) {
    return changed(draft -> draft.precision = other);
  }

  /** These with another regularisation, or null. */
  public TrainingOptions with(Regularisation other) {
    return changed(draft -> draft.regularisation = other);
  }

  /** These with the weights of a saved model to begin with, or null. */
  public TrainingOptions withFrom(Path model) {
    return changed(draft -> draft.start = model);
  }

  /** These with a look inside the model every so many updates, or 0. */
  public TrainingOptions withStatisticsEvery(int updates) {
    return changed(draft -> draft.statisticsEvery = updates);
  }

  /** These with averaged weights, or null. */
  public TrainingOptions with(WeightAveraging other) {
    return changed(draft -> draft.averaging = other);
  }

  private TrainingOptions changed(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return draft.options();
  }

  /** All options while one is being changed. */
  private static final class Draft {
    private Loss loss;
    private Optimizer optimizer;
    private double rate;
    private Schedule schedule;
    private GradientClip clip;
    private int epochs;
    private BatchSize batch;
    private int accumulate;
    private long seed;
    private double validationShare;
    private EarlyStopping earlyStopping;
    private Preprocessing preprocessing;
    private Precision precision;
    private Regularisation regularisation;
    private Path start;
    private int statisticsEvery;
    private WeightAveraging averaging;

    Draft(TrainingOptions from) {
      loss = from.loss;
      optimizer = from.optimizer;
      rate = from.rate;
      schedule = from.schedule;
      clip = from.clip;
      epochs = from.epochs;
      batch = from.batch;
      accumulate = from.accumulate;
      seed = from.seed;
      validationShare = from.validationShare;
      earlyStopping = from.earlyStopping;
      preprocessing = from.preprocessing;
      precision = from.precision;
      regularisation = from.regularisation;
      start = from.from;
      statisticsEvery = from.statisticsEvery;
      averaging = from.averaging;
    }

    TrainingOptions options() {
      return new TrainingOptions(
          loss,
          optimizer,
          rate,
          schedule,
          clip,
          epochs,
          batch,
          accumulate,
          seed,
          validationShare,
          earlyStopping,
          preprocessing,
          precision,
          regularisation,
          start,
          statisticsEvery,
          averaging);
    }
  }
}
