package dev.lamina.train;

import dev.lamina.data.Batch;
import dev.lamina.data.BatchLoader;
import dev.lamina.data.BatchOrder;
import dev.lamina.data.Dataset;
import dev.lamina.data.HostAllocator;
import dev.lamina.device.Buffer;
import dev.lamina.device.Device;
import dev.lamina.device.OutOfDeviceMemoryException;
import dev.lamina.device.Plan;
import dev.lamina.device.Preparation;
import dev.lamina.device.Program;
import dev.lamina.device.RunningGraph;
import dev.lamina.device.Unfinished;
import dev.lamina.device.VariableStore;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.nn.Parameters;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import dev.lamina.train.ModelPlans.Role;
import java.lang.foreign.Arena;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * A model on a device: programs to train, judge and use it, over one set of variables and one arena. The layer below
 * {@code Trainer}, for those who write a loop of their own. Not for several threads at once.
 */
public final class CompiledModel implements AutoCloseable {
  private final Device device;
  private final ModelTrace trace;
  private final VariableStore store;
  private final ModelVariables variables;
  private final Buffer arena;
  private final Map<Role, Program> programs = new EnumMap<>(Role.class);
  private final Program update;
  private final Program accumulate;
  private final Program judge;
  private final Program predict;
  private final StatisticsProbe probe;
  private final HostTensor rate;

  /** What the device holds as the rate: it is sent when it changes. */
  private double stagedRate;

  private final MemoryNeed memory;

  /**
   * The memory of a compiled model in bytes.
   *
   * @param variables weights, statistics, slots
   * @param arena intermediate values of the program that needs most
   * @param staged inputs and results
   */
  public record MemoryNeed(long variables, long arena, long staged) {
    /** All of it. */
    public long total() {
      return variables + arena + staged;
    }
  }

  private CompiledModel(Device device, ModelPlans plans, Consumer<Preparation> progress) {
    this.device = device;
    this.trace = plans.trace();
    this.memory = plans.memory();
    try (Unfinished parts = new Unfinished()) {
      store = parts.add(new VariableStore(device, plans.layout()));
      variables = new ModelVariables(trace, store);
      arena = parts.add(device.allocate(Math.max(memory.arena, 64)));
      Consumer<Op> next = Preparation.counted(Preparation.Stage.BINDING, plans.plans().values(), progress);
      for (Map.Entry<Role, Plan> plan : plans.plans().entrySet()) {
        programs.put(plan.getKey(), parts.add(new Program(plan.getValue(), device, store, arena, next)));
      }
      update = programs.get(Role.UPDATE);
      accumulate = programs.get(Role.ACCUMULATE);
      judge = programs.get(Role.JUDGE);
      predict = programs.get(Role.PREDICT);
      probe =
          plans.looks() == null
              ? null
              : new StatisticsProbe(plans.looks(), programs.get(Role.LOOK), programs.get(Role.COMPARE));
      rate = device.allocateHost(TensorType.of(trace.spec().precision().parameters()));
      parts.finished();
    }
  }

  /**
   * Traces, differentiates, optimises and plans {@code spec} for {@code device}, and allocates its memory. Weights are
   * zeros until {@link #initialise} or {@link #load}.
   *
   * @throws IllegalArgumentException if the layers do not fit together or to the data
   * @throws OutOfDeviceMemoryException if a step needs more memory than there is; the message names the batch that
   *     fits, and the one that fits and makes the same updates
   */
  public static CompiledModel compile(Device device, ModelSpec spec) {
    return compile(device, spec, _ -> {});
  }

  /**
   * The same, with somebody who watches.
   *
   * @param progress is told, on this thread, of each kernel before it is made ready
   */
  public static CompiledModel compile(Device device, ModelSpec spec, Consumer<Preparation> progress) {
    ModelPlans forecast = ModelPlans.forecast(device, spec);
    MemoryAdvice.requireRoom(device, forecast);
    // Who trains has better use for the memory.
    if (!spec.trains()) {
      ModelPlans keeping = forecast.keeping(device);
      forecast = MemoryAdvice.hasRoom(device, keeping) ? keeping : forecast;
    }
    ModelPlans plans = forecast.prepared(device, progress);
    // Algorithms that were chosen since may take more memory, or less.
    MemoryAdvice.requireRoom(device, plans);
    return new CompiledModel(device, plans, progress);
  }

  /** The memory that {@code spec} would take on {@code device}; nothing is allocated. */
  public static MemoryNeed plan(Device device, ModelSpec spec) {
    return ModelPlans.forecast(device, spec).memory();
  }

  /**
   * Gives every variable its first value: weights from their initialisers, seeded by the run's seed and their names.
   */
  public void initialise() {
    variables.initialise();
  }

  /**
   * The same, where an initializer may need data ({@link dev.lamina.nn.init.Lsuv}): it sees the first batch of an
   * epoch.
   *
   * @param training what weights are going to be fitted to, in memory that is open to every thread
   * @return the layers that data decided on, in the order in which they end; empty if none asked for it
   * @throws IllegalArgumentException if that batch is of no use to it
   */
  public List<UnitVariance.Scaled> initialise(Dataset training) {
    initialise();
    if (!UnitVariance.isWantedBy(this)) {
      return List.of();
    }
    BatchOrder order = new BatchOrder.Shuffled(trace.spec().seed());
    try (Arena scratch = Arena.ofShared();
        BatchLoader loader = new BatchLoader(training, order, trace.spec().batch(), 1, HostAllocator.in(scratch))) {
      List<UnitVariance.Scaled> scaled = UnitVariance.apply(this, loader.next().inputs());
      variables.beginAverages();
      return scaled;
    }
  }

  /**
   * Runs the programs on empty input, so that kernels are compiled before they are timed. Variables hold nonsense
   * afterwards: call it before {@link #initialise}.
   *
   * @param enough asked before each run
   */
  public void warmUp(BooleanSupplier enough) {
    for (int i = 0; !enough.getAsBoolean(); i++) {
      (i % 2 == 0 && update != null ? update : judge).run();
      device.synchronize();
    }
  }

  /**
   * One pass, which ends with an update.
   *
   * @param images a batch of the spec's examples
   * @param target what belongs to them
   * @param learningRate of this update
   * @throws IllegalStateException if the spec has no optimizer
   */
  public void update(HostTensor images, HostTensor target, double learningRate) {
    if (update == null) {
      throw new IllegalStateException("a model that was compiled without an optimizer cannot be trained");
    }
    Device.Ticket rateTicket = Device.Ticket.DONE;
    if (learningRate != stagedRate) {
      rate.set(0, learningRate);
      rateTicket = update.stage("rate", rate);
      stagedRate = learningRate;
    }
    pass(update, images, target, rateTicket);
  }

  /** One pass whose gradients wait for the next {@link #update}; for specs with {@code accumulate} above 1. */
  public void accumulate(HostTensor images, HostTensor target) {
    pass(accumulate, images, target, Device.Ticket.DONE);
  }

  /** The passes of an update but the last, over the next of {@code batches}. */
  void accumulate(BatchLoader batches) {
    for (int pass = 1; pass < trace.spec().accumulate(); pass++) {
      Batch batch = batches.next();
      accumulate(batch.inputs(), batch.targets());
      batches.release(batch);
    }
  }

  /** Returns when the inputs may be changed again; the pass itself may have just begun. */
  private static void pass(Program program, HostTensor images, HostTensor target, Device.Ticket others) {
    Device.Ticket first = program.stage("images", images);
    Device.Ticket second = program.stage("target", target);
    program.run();
    others.await();
    first.await();
    second.await();
  }

  /**
   * Looks inside on the batch of the next {@link #update}, which must follow at once; see {@link #takeStatistics}.
   *
   * @throws IllegalStateException if the spec is not observed
   */
  public void observe(HostTensor images, HostTensor target) {
    pass(requireProbe().before(), images, target, Device.Ticket.DONE);
  }

  /** What {@link #observe} saw, and what the update since then has done to the weights; waits for both. */
  public ModelStatistics takeStatistics(int epoch) {
    return requireProbe().statistics(steps(), epoch, trace.spec().batch());
  }

  private StatisticsProbe requireProbe() {
    if (probe == null) {
      throw new IllegalStateException("a model that was compiled without observation cannot be looked into");
    }
    return probe;
  }

  /**
   * Takes the weights into their mean, from which the model is judged from now on; for specs with {@link
   * dev.lamina.optim.WeightAveraging.Swa}.
   *
   * @param counts false as long as the mean has not begun: it is then the weights as they are, norms included
   * @throws IllegalStateException if the spec wants no such mean
   */
  public void average(boolean counts) {
    Program averaging = programs.get(Role.AVERAGE);
    if (averaging == null) {
      throw new IllegalStateException(
          "a model that was compiled without a mean of its weights cannot take them into it");
    }
    try (Arena scratch = Arena.ofShared()) {
      averaging.stage("counts", HostTensor.allocate(scratch, TensorType.of(DType.I32)).fill(counts ? 1 : 0)).await();
      averaging.run();
    }
  }

  /** Whether averaged weights have running statistics of their own, which {@link #followAveraged} gives them. */
  public boolean averagesStatistics() {
    return programs.containsKey(Role.FOLLOW);
  }

  /**
   * Lets the averaged weights see a batch: their running statistics become the mean over all batches so far.
   *
   * @param number of the batch, from 1
   * @throws IllegalStateException if they have none of their own
   */
  public void followAveraged(HostTensor images, int number) {
    Program averagedStatistics = programs.get(Role.FOLLOW);
    if (averagedStatistics == null) {
      throw new IllegalStateException("this model has no averaged weights whose running statistics are their own");
    }
    try (Arena scratch = Arena.ofShared()) {
      TensorType type = TensorType.of(trace.spec().precision().parameters());
      Device.Ticket share = averagedStatistics.stage("share", HostTensor.allocate(scratch, type).fill(1.0 / number));
      Device.Ticket first = averagedStatistics.stage("images", images);
      averagedStatistics.run();
      share.await();
      first.await();
    }
  }

  /** Mean loss and accuracy of the passes since the last call; waits for them. */
  public Evaluation takeTrainingFigures() {
    return Figures.TRAINING.take(store);
  }

  /**
   * Adds a batch to the figures of evaluation.
   *
   * @param weights 1 for each example, 0 for padding
   */
  public void judge(HostTensor images, HostTensor target, HostTensor weights) {
    pass(judge, images, target, judge.stage("weights", weights));
  }

  /** The figures of all batches judged since the last call; waits for them. */
  public Evaluation takeEvaluation() {
    return Figures.EVALUATION.take(store);
  }

  /** The type of what {@link #predict} writes. */
  public TensorType predictionType() {
    return predict.resultType("prediction");
  }

  /** Probabilities (or values, for regression) of a batch of {@code evaluationBatch} examples. */
  public void predict(HostTensor images, HostTensor predictions) {
    Device.Ticket ticket = predict.stage("images", images);
    predict.run();
    ticket.await();
    predict.read("prediction", predictions);
  }

  /**
   * The first update, counted from 0, in which the loss or a gradient was not finite; −1 if there was none. Waits for
   * the passes.
   */
  public long badStep() {
    return variables.counter(TrainingGraph.BAD_STEP);
  }

  /** Updates done so far; waits for them. */
  public long steps() {
    return variables.counter(TrainingGraph.STEPS);
  }

  /**
   * The path of the first layer whose output on {@code images} has a value that is not finite; for training as it
   * stands now.
   */
  public Optional<String> firstSickLayer(HostTensor images) {
    Graph graph = trace.training().graph();
    List<LayerTrace> layers = LayerTrace.of(graph);
    graph.dropAssigns();
    for (LayerTrace layer : layers) {
      Tensor sick = layer.output().map(x -> Exprs.sub(1, Exprs.isFinite(x)));
      graph.output(layer.path(), sick.sum());
    }
    try (RunningGraph probe = probe(graph)) {
      probe.stage("images", images);
      probe.run();
      return layers.stream().map(LayerTrace::path).filter(layer -> probe.number(layer) != 0).findFirst();
    }
  }

  /**
   * The value of every variable but metrics, by name, in {@code arena}: all that a continuation needs. Packed weights
   * appear as their members.
   */
  public SequencedMap<String, HostTensor> state(Arena arenaOfState) {
    return variables.state(arenaOfState);
  }

  /** Weights and statistics only: the trained model, averaged where that is wanted. */
  public SequencedMap<String, HostTensor> weights(Arena arenaOfState) {
    return variables.weights(arenaOfState);
  }

  /**
   * Sets variables to saved values. What is missing in {@code values} keeps its value, so weights can be loaded alone;
   * but averages that are missing become what they are of.
   *
   * @throws IllegalArgumentException if a weight or statistic of the model is missing, or a value has another type
   */
  public void load(Map<String, HostTensor> values) {
    variables.load(values);
  }

  /** The kernels of the updating pass, to be timed one by one; null if the spec has no optimizer. */
  public Program updateProgram() {
    return update;
  }

  /** The layers, traced for the spec's batch. */
  public List<LayerTrace> layers() {
    return LayerTrace.of(trace.training().graph());
  }

  public ModelSpec spec() {
    return trace.spec();
  }

  /** The layers, to be traced into other graphs over the same variables. */
  ModelTrace trace() {
    return trace;
  }

  /** The variables that all programs share. */
  VariableStore store() {
    return store;
  }

  /**
   * A program beside its own, over the same variables, which takes turns with them. It works in their arena if there is
   * room enough: what a training has measured out stays as it is.
   */
  RunningGraph probe(Graph graph) {
    return new RunningGraph(device, graph, store, arena);
  }

  /** What the layers declared. */
  public Parameters parameters() {
    return trace.parameters();
  }

  public MemoryNeed memory() {
    return memory;
  }

  public Device device() {
    return device;
  }

  @Override
  public void close() {
    programs.values().forEach(Program::close);
    arena.close();
    store.close();
  }
}
