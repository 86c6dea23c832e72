package dev.lamina.study;

import dev.lamina.data.Batch;
import dev.lamina.data.BatchLoader;
import dev.lamina.data.BatchOrder;
import dev.lamina.data.Dataset;
import dev.lamina.data.FittedPreprocessing;
import dev.lamina.data.HostAllocator;
import dev.lamina.data.Preprocessing;
import dev.lamina.device.Unfinished;
import dev.lamina.loss.SoftmaxCrossEntropy;
import dev.lamina.nn.Layer;
import dev.lamina.optim.Optimizer;
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
import java.util.function.ObjIntConsumer;
import java.util.function.UnaryOperator;

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
    this(setting, layers, optimizer, training, batch, seed, spec -> spec);
  }

  /**
   * The same with something besides.
   *
   * @param besides adds it to what is compiled: what bounds gradients or holds weights down
   */
  public Course(
      Setting setting,
      Layer layers,
      Optimizer optimizer,
      Dataset training,
      int batch,
      long seed,
      UnaryOperator<ModelSpec.Builder> besides) {
    this(setting, layers, optimizer, training, batch, seed, new Preprocessing.ZScore().fit(training), besides);
  }

  /** The same with inputs as they are wanted. */
  public Course(
      Setting setting,
      Layer layers,
      Optimizer optimizer,
      Dataset training,
      int batch,
      long seed,
      FittedPreprocessing preprocessing) {
    this(setting, layers, optimizer, training, batch, seed, preprocessing, spec -> spec);
  }

  private Course(
      Setting setting,
      Layer layers,
      Optimizer optimizer,
      Dataset training,
      int batch,
      long seed,
      FittedPreprocessing preprocessing,
      UnaryOperator<ModelSpec.Builder> besides) {
    this.setting = setting;
    try (Unfinished parts = new Unfinished()) {
      arena = parts.add(Arena.ofShared());
      ModelSpec.Builder spec =
          ModelSpec.of(layers, training.inputType(), new SoftmaxCrossEntropy())
              .preparation(new PreparedInputs(preprocessing))
              .optimizer(optimizer)
              .batch(batch)
              .evaluationBatch(EVALUATION_BATCH)
              .seed(seed);
      model = parts.add(CompiledModel.compile(setting.device(), besides.apply(spec).build()));
      scaled = model.initialise(training);
      loader = new BatchLoader(training, new BatchOrder.Shuffled(seed), batch, SLOTS, HostAllocator.in(arena));
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
   * Does {@code steps} updates and tells how the loss went: its mean in each of {@code looks} equal parts of them. The
   * last is NaN if the course has {@link #diverged}.
   */
  public double[] losses(int steps, double rate, int looks) {
    double[] losses = new double[looks];
    for (int look = 0; look < looks; look++) {
      losses[look] = train(steps / looks, rate).loss();
    }
    if (diverged()) {
      losses[looks - 1] = Double.NaN;
    }
    return losses;
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
    pass(data, (batch, _) -> model.judge(batch.inputs(), batch.targets(), batch.weights()));
    return model.takeEvaluation();
  }

  /** Probabilities [example][class] of all of {@code data}, in its order. */
  public double[][] predict(Dataset data) {
    double[][] probabilities = new double[data.size()][data.classes()];
    try (Arena memory = Arena.ofShared()) {
      HostTensor results = HostTensor.allocate(memory, model.predictionType());
      pass(
          data,
          (batch, first) -> {
            model.predict(batch.inputs(), results);
            for (int i = 0; i < batch.count() * data.classes(); i++) {
              probabilities[first + i / data.classes()][i % data.classes()] = results.get(i);
            }
          });
    }
    return probabilities;
  }

  /** Shows each batch of {@code data}, in its order, with the number of its first example. */
  private static void pass(Dataset data, ObjIntConsumer<Batch> shown) {
    try (Arena memory = Arena.ofShared();
        BatchLoader order =
            new BatchLoader(data, new BatchOrder.Sequential(), EVALUATION_BATCH, SLOTS, HostAllocator.in(memory))) {
      for (int i = 0; i < order.batchesPerEpoch(); i++) {
        Batch batch = order.next();
        shown.accept(batch, i * EVALUATION_BATCH);
        order.release(batch);
      }
    }
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
