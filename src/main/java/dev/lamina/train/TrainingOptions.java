package dev.lamina.train;

import dev.lamina.data.BatchSize;
import dev.lamina.loss.Loss;
import dev.lamina.loss.SoftmaxCrossEntropy;
import dev.lamina.optim.Adam;
import dev.lamina.optim.GradientClip;
import dev.lamina.optim.Optimizer;
import dev.lamina.optim.schedule.Constant;
import dev.lamina.optim.schedule.Schedule;
import dev.lamina.tensor.DType;

/**
 * How a model is trained.
 *
 * @param loss what is made small
 * @param optimizer how weights follow gradients
 * @param rate the learning rate that the schedule starts from
 * @param schedule how the rate changes
 * @param clip bounds gradients, or null
 * @param epochs passes over the data, 1 or more
 * @param batch examples of one pass
 * @param accumulate passes whose gradients are averaged for one update, 1 or more
 * @param seed of initial weights, data order, dropout and the validation split
 * @param validationShare of the training data that is held out to judge by, 0 to less than 1
 * @param earlyStopping when to give up, or null for never
 * @param normalise whether inputs are centred and scaled by mean and deviation of the training part
 * @param precision of parameters and activations: F32, or F64 on the reference device
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
    boolean normalise,
    DType precision) {

  /**
   * Adam at 0.001 on softmax cross-entropy, 10 epochs of batches of 128, the rate constant; a twentieth is held out,
   * inputs are normalised, nothing stops early.
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
          true,
          DType.F32);

  public TrainingOptions {
    if (epochs < 1 || accumulate < 1) {
      throw new IllegalArgumentException("epochs and accumulate are 1 or more, got " + epochs + " and " + accumulate);
    }
    if (!(rate > 0) || Double.isInfinite(rate)) {
      throw new IllegalArgumentException("the learning rate is a number above 0, got " + rate);
    }
    if (!(validationShare >= 0 && validationShare < 1)) {
      throw new IllegalArgumentException("the validation share is at least 0 and less than 1, got " + validationShare);
    }
  }

  /** These with another loss. */
  public TrainingOptions with(Loss other) {
    return new TrainingOptions(
        other,
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
        normalise,
        precision);
  }

  /** These with another optimizer and its learning rate. */
  public TrainingOptions with(Optimizer other, double otherRate) {
    return new TrainingOptions(
        loss,
        other,
        otherRate,
        schedule,
        clip,
        epochs,
        batch,
        accumulate,
        seed,
        validationShare,
        earlyStopping,
        normalise,
        precision);
  }

  /** These with another schedule. */
  public TrainingOptions with(Schedule other) {
    return new TrainingOptions(
        loss,
        optimizer,
        rate,
        other,
        clip,
        epochs,
        batch,
        accumulate,
        seed,
        validationShare,
        earlyStopping,
        normalise,
        precision);
  }

  /** These with another bound of gradients, or null. */
  public TrainingOptions with(GradientClip other) {
    return new TrainingOptions(
        loss,
        optimizer,
        rate,
        schedule,
        other,
        epochs,
        batch,
        accumulate,
        seed,
        validationShare,
        earlyStopping,
        normalise,
        precision);
  }

  /** These with another number of epochs. */
  public TrainingOptions withEpochs(int other) {
    return new TrainingOptions(
        loss,
        optimizer,
        rate,
        schedule,
        clip,
        other,
        batch,
        accumulate,
        seed,
        validationShare,
        earlyStopping,
        normalise,
        precision);
  }

  /** These with another batch. */
  public TrainingOptions with(BatchSize other) {
    return new TrainingOptions(
        loss,
        optimizer,
        rate,
        schedule,
        clip,
        epochs,
        other,
        accumulate,
        seed,
        validationShare,
        earlyStopping,
        normalise,
        precision);
  }

  /** These with another number of passes for one update. */
  public TrainingOptions withAccumulate(int other) {
    return new TrainingOptions(
        loss,
        optimizer,
        rate,
        schedule,
        clip,
        epochs,
        batch,
        other,
        seed,
        validationShare,
        earlyStopping,
        normalise,
        precision);
  }

  /** These with another seed. */
  public TrainingOptions withSeed(long other) {
    return new TrainingOptions(
        loss,
        optimizer,
        rate,
        schedule,
        clip,
        epochs,
        batch,
        accumulate,
        other,
        validationShare,
        earlyStopping,
        normalise,
        precision);
  }

  /** These with another share held out. */
  public TrainingOptions withValidationShare(double other) {
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
        other,
        earlyStopping,
        normalise,
        precision);
  }

  /** These with another rule for stopping early, or null. */
  public TrainingOptions with(EarlyStopping other) {
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
        other,
        normalise,
        precision);
  }

  /** These with inputs normalised or not. */
  public TrainingOptions withNormalisation(boolean other) {
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
        other,
        precision);
  }

  /** These with another precision. */
  public TrainingOptions with(DType other) {
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
        normalise,
        other);
  }
}
