package dev.lamina.study;

import dev.lamina.data.Batch;
import dev.lamina.data.BatchLoader;
import dev.lamina.data.BatchOrder;
import dev.lamina.data.BatchPosition;
import dev.lamina.data.Dataset;
import dev.lamina.data.FittedPreprocessing;
import dev.lamina.data.HostAllocator;
import dev.lamina.data.Preprocessing;
import dev.lamina.device.Unfinished;
import dev.lamina.loss.SoftmaxCrossEntropy;
import dev.lamina.nn.Layer;
import dev.lamina.optim.GradientClip;
import dev.lamina.optim.Optimizer;
import dev.lamina.optim.Regularisation;
import dev.lamina.tensor.HostTensor;
import dev.lamina.train.CompiledModel;
import dev.lamina.train.Evaluation;
import dev.lamina.train.GradientsThroughTime;
import dev.lamina.train.ModelSpec;
import dev.lamina.train.PreparedInputs;
import dev.lamina.train.UnitVariance;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Map;

/**
 * A training that an experiment drives itself, some updates at a time, to look at the network in between. A loss or
 * gradient that is not finite leaves the weights as they were and is told by {@link #diverged}.
 */
public final class Course implements AutoCloseable {
  private static final int SLOTS = 4;
  private static final int EVALUATION_BATCH = 500;

  private final Arena arena;
  private final Setting setting;
  private final CompiledModel model;
  private final List<UnitVariance.Scaled> scaled;
  private final BatchLoader loader;

  /**
   * Compiles {@code layers} and draws their weights.
   *
   * @param training classes to learn; inputs are centred and scaled by its mean and deviation
   * @param batch examples of an update
   * @param seed of weights, order and dropout
   */
  public Course(Setting setting, Layer layers, Optimizer optimizer, Dataset training, int batch, long seed) {
    this(setting, layers, optimizer, (GradientClip) null, training, batch, seed);
  }

  /** The same with gradients that {@code clip} bounds. */
  public Course(
      Setting setting, Layer layers, Optimizer optimizer, GradientClip clip, Dataset training, int batch, long seed) {
    this(setting, layers, optimizer, clip, new Preprocessing.ZScore().fit(training), training, batch, seed);
  }

  /** The same with weights that {@code regularisation} holds down. */
  public Course(
      Setting setting,
      Layer layers,
      Optimizer optimizer,
      Regularisation regularisation,
      Dataset training,
      int batch,
      long seed) {
    this(
        setting,
        layers,
        optimizer,
        null,
        regularisation,
        new Preprocessing.ZScore().fit(training),
        training,
        batch,
        seed);
  }

  /**
   * The same with inputs as they are wanted.
   *
   * @param clip bounds gradients, or null
   */
  public Course(
      Setting setting,
      Layer layers,
      Optimizer optimizer,
      GradientClip clip,
      FittedPreprocessing preprocessing,
      Dataset training,
      int batch,
      long seed) {
    this(setting, layers, optimizer, clip, null, preprocessing, training, batch, seed);
  }

  private Course(
      Setting setting,
      Layer layers,
      Optimizer optimizer,
      GradientClip clip,
      Regularisation regularisation,
      FittedPreprocessing preprocessing,
      Dataset training,
      int batch,
      long seed) {
    this.setting = setting;
    try (Unfinished parts = new Unfinished()) {
      arena = parts.add(Arena.ofShared());
      model =
          parts.add(
              CompiledModel.compile(
                  setting.device(),
                  ModelSpec.of(layers, training.inputType(), new SoftmaxCrossEntropy())
                      .preparation(new PreparedInputs(preprocessing))
                      .optimizer(optimizer)
                      .clip(clip)
                      .batch(batch)
                      .evaluationBatch(EVALUATION_BATCH)
                      .seed(seed)
                      .regularisation(regularisation)
                      .build()));
      scaled = model.initialise(training);
      loader =
          new BatchLoader(
              training, new BatchOrder.Shuffled(seed), batch, SLOTS, HostAllocator.in(arena), BatchPosition.START);
      parts.finished();
    }
  }

  /** The layers whose weights data decided on, as they began; empty if there are none. */
  public List<UnitVariance.Scaled> scaled() {
    return scaled;
  }

  /** Replaces all weights, which were drawn, by others. */
  public void load(Map<String, HostTensor> weights) {
    model.load(weights);
  }

  /** Updates in one pass over the data. */
  public int stepsPerEpoch() {
    return loader.batchesPerEpoch();
  }

  /**
   * Does {@code steps} updates; the mean loss and accuracy on their batches.
   *
   * @throws Watcher.Stopped if the experiment is to end before they are done
   */
  public Evaluation train(int steps, double rate) {
    for (int i = 0; i < steps; i++) {
      setting.goOn();
      Batch batch = loader.next();
      model.update(batch.inputs(), batch.targets(), rate);
      loader.release(batch);
    }
    return model.takeTrainingFigures();
  }

  /**
   * Norms of the gradient of a batch, before clipping.
   *
   * @param steps at each step of the first recurrent layer
   * @param weights of all weights together
   */
  public record ThroughTime(double[] steps, double weights) {}

  /**
   * How large the gradient is on the next batch, which is not learned from.
   *
   * @throws IllegalArgumentException if there is no recurrent layer
   */
  public ThroughTime gradientsThroughTime() {
    try (GradientsThroughTime gradients = new GradientsThroughTime(model)) {
      Batch batch = loader.next();
      double[] steps = gradients.norms(batch.inputs(), batch.targets()).firstEntry().getValue();
      loader.release(batch);
      return new ThroughTime(steps, gradients.ofWeights());
    }
  }

  /** Whether a loss or gradient was not finite. */
  public boolean diverged() {
    return badUpdate() > 0;
  }

  /** The first update, counted from 1, whose loss or gradient was not finite; 0 if there was none. */
  public long badUpdate() {
    return model.badStep() + 1;
  }

  /** Loss and accuracy on all of {@code data}. */
  public Evaluation judge(Dataset data) {
    try (Arena memory = Arena.ofShared();
        BatchLoader order =
            new BatchLoader(
                data,
                new BatchOrder.Sequential(),
                EVALUATION_BATCH,
                SLOTS,
                HostAllocator.in(memory),
                BatchPosition.START)) {
      for (int i = 0; i < order.batchesPerEpoch(); i++) {
        Batch batch = order.next();
        model.judge(batch.inputs(), batch.targets(), batch.weights());
        order.release(batch);
      }
      return model.takeEvaluation();
    }
  }

  /** Probabilities [example][class] of all of {@code data}, in its order. */
  public double[][] predict(Dataset data) {
    double[][] probabilities = new double[data.size()][data.classes()];
    try (Arena memory = Arena.ofShared();
        BatchLoader order =
            new BatchLoader(
                data,
                new BatchOrder.Sequential(),
                EVALUATION_BATCH,
                SLOTS,
                HostAllocator.in(memory),
                BatchPosition.START)) {
      HostTensor results = HostTensor.allocate(memory, model.predictionType());
      for (int i = 0; i < order.batchesPerEpoch(); i++) {
        Batch batch = order.next();
        model.predict(batch.inputs(), results);
        for (int j = 0; j < batch.count() * data.classes(); j++) {
          probabilities[i * EVALUATION_BATCH + j / data.classes()][j % data.classes()] = results.get(j);
        }
        order.release(batch);
      }
    }
    return probabilities;
  }

  /** Weights and running statistics by name. */
  public Map<String, HostTensor> weights(Arena memory) {
    return model.weights(memory);
  }

  /** What {@link LayerProbe} needs to trace the same network. */
  public ModelSpec spec() {
    return model.spec();
  }

  @Override
  public void close() {
    loader.close();
    model.close();
    arena.close();
  }
}
