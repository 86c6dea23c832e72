package dev.lamina.train;

import dev.lamina.data.Batch;
import dev.lamina.data.BatchLoader;
import dev.lamina.data.BatchOrder;
import dev.lamina.data.Dataset;
import dev.lamina.device.Device;
import dev.lamina.device.Preparation;
import dev.lamina.nn.Layer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.DoubleUnaryOperator;

/**
 * Finds a learning rate by a range test (Smith 2015, section 3.3; Smith 2018, section 4.1): one short training whose
 * rate grows from step to step by the same factor, until the loss explodes. Nothing of it is kept but the losses.
 */
public final class LearningRateFinder {
  /** Weight of the past in the smoothed loss: about the last ten steps, a tenth of the shortest usual test. */
  private static final double SMOOTHING = 0.9;

  /** The loss has exploded when it is this many times its best. */
  private static final double EXPLOSION = 4;

  private final Device device;
  private final Trainer trainer;
  private final TrainingOptions options;
  private final Range range;

  /**
   * The rates that are tried.
   *
   * @param from the first
   * @param to the last, unless the loss explodes before
   * @param steps how many, 10 or more
   */
  public record Range(double from, double to, int steps) {
    /** From 1e-6 to 10 in 200 steps. */
    public static final Range DEFAULT = new Range(1e-6, 10, 200);

    public Range {
      if (!(from > 0 && to > from && to < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            "a range of learning rates begins above 0 and ends above its begin, got " + from + " to " + to);
      }
      if (steps < 10) {
        throw new IllegalArgumentException("a range test takes 10 steps or more, got " + steps);
      }
    }

    /** The rate of step {@code index}, from 0: each is the one before times the same factor. */
    double rate(int index) {
      return from * Math.pow(to / from, index / (steps - 1.0));
    }
  }

  /**
   * One step.
   *
   * @param rate of its update
   * @param loss of its batch, before that update; not finite if that was the end
   * @param smoothed the exponential mean of the losses so far, corrected for having begun at 0
   */
  public record Point(double rate, double loss, double smoothed) {}

  /** A test of this training; its own rate and schedule play no part. */
  public LearningRateFinder(Device device, Layer layers, TrainingOptions options, Range range) {
    this.device = device;
    this.options = options;
    this.range = range;
    trainer = new Trainer(device, layers).options(options);
  }

  /** Runs the test on the training part of {@code data}, whose memory is open to every thread. */
  public RateCurve run(Dataset data) {
    return run(data, _ -> {}, () -> false);
  }

  /**
   * The same, with somebody who watches.
   *
   * @param progress is told of each kernel before it is made ready
   * @param stop asked before each step: whether that was enough
   */
  public RateCurve run(Dataset data, Consumer<Preparation> progress, BooleanSupplier stop) {
    Dataset training = data.split(options.validationShare(), options.seed()).training();
    ModelSpec spec = trainer.spec(training);
    try (CompiledModel model = CompiledModel.compile(device, spec, progress);
        BatchLoader loader =
            new BatchLoader(
                training,
                new BatchOrder.Shuffled(options.seed()),
                spec.batch(),
                TrainingLoop.SLOTS,
                device::allocateHost)) {
      trainer.requireTarget(model, data);
      trainer.initialise(model, training);
      return follow(rate -> update(model, loader, rate), stop);
    }
  }

  /**
   * Raises the rate until the loss explodes.
   *
   * @param step does an update and gives the loss before it
   */
  RateCurve follow(DoubleUnaryOperator step, BooleanSupplier stop) {
    List<Point> points = new ArrayList<>();
    double mean = 0;
    double best = Double.POSITIVE_INFINITY;
    for (int i = 0; i < range.steps && !stop.getAsBoolean(); i++) {
      double loss = step.applyAsDouble(range.rate(i));
      mean = SMOOTHING * mean + (1 - SMOOTHING) * loss;
      double smoothed = mean / (1 - Math.pow(SMOOTHING, i + 1.0));
      points.add(new Point(range.rate(i), loss, smoothed));
      if (!Double.isFinite(loss) || smoothed > EXPLOSION * best) {
        return new RateCurve(points, true);
      }
      best = Math.min(best, smoothed);
    }
    return new RateCurve(points, false);
  }

  /** The mean loss of the passes of one update; NaN if it, or a gradient, was not finite. */
  private static double update(CompiledModel model, BatchLoader loader, double rate) {
    model.accumulate(loader);
    Batch batch = loader.next();
    model.update(batch.inputs(), batch.targets(), rate);
    loader.release(batch);
    Evaluation figures = model.takeTrainingFigures();
    return model.badStep() >= 0 ? Double.NaN : figures.loss();
  }
}
