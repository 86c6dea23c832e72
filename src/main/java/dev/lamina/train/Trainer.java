package dev.lamina.train;

import dev.lamina.data.BatchOrder;
import dev.lamina.data.BatchSize;
import dev.lamina.data.Dataset;
import dev.lamina.data.FittedPreprocessing;
import dev.lamina.data.Preprocessing;
import dev.lamina.data.Split;
import dev.lamina.device.Device;
import dev.lamina.device.OutOfDeviceMemoryException;
import dev.lamina.device.Preparation;
import dev.lamina.io.BadInputException;
import dev.lamina.io.Safetensors;
import dev.lamina.loss.Loss;
import dev.lamina.nn.Layer;
import dev.lamina.optim.Optimizer;
import dev.lamina.optim.Regularisation;
import dev.lamina.optim.schedule.Schedule;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * Trains a model. A share of the training data is held out; early stopping, schedules and the choice of the best epoch
 * see only that, so that a test set can be used once, at the end.
 */
public final class Trainer {
  /** Examples of a pass that is only to warm kernels: generic in shape, they are warm then for any. */
  private static final int WARM_UP_BATCH = 8;

  private final Device device;
  private final Layer layers;
  private final List<TrainingListener> listeners = new ArrayList<>();
  private TrainingOptions options = TrainingOptions.DEFAULTS;
  private Checkpoints checkpoints;
  private String recipe = "";
  private boolean resuming;

  /** A trainer of {@code layers} on {@code device} with {@link TrainingOptions#DEFAULTS}. */
  public Trainer(Device device, Layer layers) {
    this.device = device;
    this.layers = layers;
  }

  /** The options as they stand. */
  public TrainingOptions options() {
    return options;
  }

  /** Replaces all options. */
  public Trainer options(TrainingOptions all) {
    options = all;
    return this;
  }

  /** What is made small; softmax cross-entropy unless set. */
  public Trainer loss(Loss loss) {
    return options(options.with(loss));
  }

  /** How weights follow gradients, at the given learning rate. */
  public Trainer optimizer(Optimizer optimizer, double rate) {
    return options(options.with(optimizer, rate));
  }

  /** What holds weights down beside the optimizer's own decay; null for nothing. */
  public Trainer regularisation(Regularisation regularisation) {
    return options(options.with(regularisation));
  }

  /** How the learning rate changes; constant unless set. */
  public Trainer schedule(Schedule schedule) {
    return options(options.with(schedule));
  }

  /** Passes over the data. */
  public Trainer epochs(int epochs) {
    return options(options.withEpochs(epochs));
  }

  /** Examples of one update. */
  public Trainer batch(int examples) {
    return options(options.with(new BatchSize.Fixed(examples)));
  }

  /** All examples in each update. */
  public Trainer fullBatch() {
    return options(options.with(new BatchSize.Full()));
  }

  /** Decides initial weights, data order, dropout and what is held out. */
  public Trainer seed(long seed) {
    return options(options.withSeed(seed));
  }

  /** The share of the training data that is held out to judge by; 0 for none. */
  public Trainer validationShare(double share) {
    return options(options.withValidationShare(share));
  }

  /** What is done to inputs, with numbers from the training part; what is usual for them unless set. */
  public Trainer preprocessing(Preprocessing preprocessing) {
    return options(options.with(preprocessing));
  }

  /** Ends training when validation figures have stopped getting better. */
  public Trainer earlyStopping(EarlyStopping earlyStopping) {
    return options(options.with(earlyStopping));
  }

  /** The run, or model.safetensors, whose weights training begins with; null for initial ones. */
  public Trainer from(Path model) {
    return options(options.withFrom(model));
  }

  /** How many updates lie between two looks inside the model, which listeners are told; 0 for none. */
  public Trainer statisticsEvery(int updates) {
    return options(options.withStatisticsEvery(updates));
  }

  /** Tells {@code listener} how training goes. */
  public Trainer listener(TrainingListener listener) {
    listeners.add(listener);
    return this;
  }

  /**
   * Keeps the best and the last model in files.
   *
   * @param description text that goes with the best model, for example the recipe; may be empty
   */
  public Trainer checkpoints(Checkpoints where, String description) {
    checkpoints = where;
    recipe = description;
    return this;
  }

  /** Makes {@link #fit} go on from the last checkpoint, as if the training had never stopped. */
  public Trainer resume() {
    if (checkpoints == null) {
      throw new IllegalStateException("a training is resumed from checkpoints; say where they are first");
    }
    resuming = true;
    return this;
  }

  /**
   * Compiles a model for data of the given kind and runs it on empty input, so that the kernels of the real one are
   * warm: something to do while data is decoded. May be left out, and is where kernels do not become warm.
   *
   * @param enough asked before each pass
   */
  public void warmUp(TensorType example, BooleanSupplier enough) {
    if (!device.warmsUp()) {
      return;
    }
    FittedPreprocessing blank = options.preprocessingFor(example).blank(example);
    ModelFile description = new ModelFile(example, blank, List.of(), recipe);
    ModelSpec spec = spec(description, WARM_UP_BATCH, WARM_UP_BATCH).unobserved();
    try (CompiledModel model = CompiledModel.compile(device, spec)) {
      model.warmUp(enough);
    } catch (OutOfDeviceMemoryException _) {
      // The training itself will be refused, with advice for its own batch.
    }
  }

  /**
   * Trains on {@code data} and returns the model with the weights of its best epoch.
   *
   * @param data whose memory is open to every thread
   * @throws BadInputException if data, model and options do not fit together, or the output cannot be written
   * @throws DivergenceException if the loss or a gradient is not finite
   */
  public TrainedModel fit(Dataset data) {
    return fit(data.split(options.validationShare(), options.seed()), data);
  }

  /**
   * The same with a split that was made before: one part of a cross-validation ({@link Dataset#folds}), for example.
   *
   * @param split of data whose memory is open to every thread
   */
  public TrainedModel fit(Split split) {
    return fit(split, split.training());
  }

  private TrainedModel fit(Split split, Dataset data) {
    Dataset training = split.training();
    int batch = options.batch().of(training);
    int stepsPerEpoch = new BatchOrder.Shuffled(options.seed()).batches(training.size(), batch) / options.accumulate();
    if (stepsPerEpoch == 0) {
      throw new BadInputException(
          "an update of "
              + options.accumulate()
              + " batches of "
              + batch
              + " cannot be filled from "
              + training.size()
              + " examples; accumulate less");
    }
    Checkpoint checkpoint = resuming ? Checkpoint.read(checkpoints.last(), Arena.ofAuto()) : null;
    ModelFile description = describe(training, checkpoint);
    CompiledModel model =
        CompiledModel.compile(
            device, spec(description, batch, ModelSpec.evaluationBatchFor(batch)), this::tellPreparation);
    try {
      requireTarget(model, data);
      TrainingState state = begin(model, training, checkpoint, description);
      TrainingPlan plan =
          new TrainingPlan(
              device.name(),
              model.parameters().count(),
              training.size(),
              split.validation().size(),
              batch,
              options.accumulate(),
              options.epochs(),
              stepsPerEpoch,
              model.steps());
      TrainingReport report = run(model, split, plan, description, state);
      return new TrainedModel(model, description, report);
    } catch (RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  private void tellPreparation(Preparation preparation) {
    for (TrainingListener listener : listeners) {
      listener.preparing(preparation);
    }
  }

  /** What {@link #fit} compiles to learn from {@code training}, the part that is not held out. */
  public ModelSpec spec(Dataset training) {
    int batch = options.batch().of(training);
    return spec(describe(training, null), batch, ModelSpec.evaluationBatchFor(batch));
  }

  private ModelFile describe(Dataset training, Checkpoint checkpoint) {
    return new ModelFile(training.inputType(), preprocessing(training, checkpoint), training.classNames(), recipe);
  }

  private ModelSpec spec(ModelFile description, int batch, int evaluationBatch) {
    PreparedInputs preparation = new PreparedInputs(description.preprocessing());
    return ModelSpec.of(layers, description.example(), options)
        .preparation(preparation)
        .batch(batch)
        .evaluationBatch(evaluationBatch)
        .build();
  }

  /** Fitted to {@code training}, once: a run that goes on has it in its checkpoint. */
  private FittedPreprocessing preprocessing(Dataset training, Checkpoint checkpoint) {
    TensorType example = training.inputType();
    if (checkpoint == null && options.from() != null) {
      return StartingWeights.read(options.from()).preprocessing(example, options.preprocessing());
    }
    Preprocessing preprocessing = options.preprocessingFor(example);
    FittedPreprocessing.Kind kept = checkpoint == null ? null : checkpoint.state().preprocessing();
    if (kept == null && (checkpoint == null || !PreparedInputs.areIn(checkpoint.tensors()))) {
      return preprocessing.fit(training);
    }
    FittedPreprocessing.Kind kind = kept == null ? preprocessing.blank(example).kind() : kept;
    return PreparedInputs.from(checkpoints.last().toString(), kind, example, checkpoint.tensors());
  }

  /**
   * Gives {@code model} the weights that training begins with: of initializers, or of a saved model.
   *
   * @param training what they are going to be fitted to, in memory that is open to every thread
   * @throws BadInputException if the saved model is another one
   */
  public void initialise(CompiledModel model, Dataset training) {
    List<UnitVariance.Scaled> scaled = model.initialise(training);
    if (options.from() != null) {
      StartingWeights.read(options.from()).load(model);
    } else if (!scaled.isEmpty()) {
      listeners.forEach(listener -> listener.scaled(scaled));
    }
  }

  /** The initial weights, or those of the checkpoint. */
  private TrainingState begin(CompiledModel model, Dataset training, Checkpoint checkpoint, ModelFile description) {
    if (resuming) {
      model.initialise();
    } else {
      initialise(model, training);
    }
    if (checkpoints != null) {
      checkpoints.requireWritable(model.memory().variables());
    }
    if (checkpoint == null) {
      return TrainingState.START;
    }
    try {
      load(model, checkpoint.tensors(), description);
    } catch (IllegalArgumentException e) {
      throw new BadInputException(checkpoints.last() + ": " + e.getMessage(), e);
    }
    return checkpoint.state();
  }

  private TrainingReport run(
      CompiledModel model, Split split, TrainingPlan plan, ModelFile description, TrainingState state) {
    try (TrainingLoop loop =
        new TrainingLoop(
            model,
            split.training(),
            split.validation(),
            options,
            plan,
            description,
            checkpoints,
            listeners,
            device::allocateHost,
            state)) {
      TrainingReport report = loop.run();
      if (report.end() != TrainingReport.End.INTERRUPTED) {
        loop.best().ifPresentOrElse(model::load, () -> loadBest(model, description));
      }
      return report;
    }
  }

  /** No epoch of this run was better than the best of the run that it continues. */
  private void loadBest(CompiledModel model, ModelFile description) {
    if (checkpoints != null && Files.exists(checkpoints.best())) {
      try (Arena arena = Arena.ofConfined()) {
        load(model, Safetensors.read(checkpoints.best(), arena).tensors(), description);
      }
    }
  }

  private void load(CompiledModel model, Map<String, HostTensor> tensors, ModelFile description) {
    try (Arena scratch = Arena.ofConfined()) {
      model.load(
          PreparedInputs.completed(tensors, description.preprocessing(), options.precision().parameters(), scratch));
    }
  }

  /**
   * Sees whether outputs and loss belong to the targets of {@code data}.
   *
   * @throws BadInputException if they do not
   */
  public void requireTarget(CompiledModel model, Dataset data) {
    TensorType output = model.predictionType();
    Loss.Task task = options.loss().task();
    int outputs = output.shape().last();
    if (task == Loss.Task.CLASSES && data.classes() > 0 && outputs != data.classes()) {
      throw new BadInputException(
          "the model has " + outputs + " outputs, " + data.name() + " has " + data.classes() + " classes");
    }
    TensorType expected = options.loss().target(output);
    TensorType actual = data.targetType().batched(model.spec().evaluationBatch());
    if (!expected.equals(actual)) {
      throw new BadInputException(
          "the loss takes targets "
              + expected
              + " for outputs "
              + output
              + ", "
              + data.name()
              + " has "
              + actual
              + "; choose another loss");
    }
  }
}
