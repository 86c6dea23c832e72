package dev.lamina.train.pretrain;

import dev.lamina.device.Buffer;
import dev.lamina.device.Device;
import dev.lamina.device.OutOfDeviceMemoryException;
import dev.lamina.device.Preparation;
import dev.lamina.device.Program;
import dev.lamina.device.Unfinished;
import dev.lamina.device.VariableStore;
import dev.lamina.graph.Op;
import dev.lamina.graph.Variable;
import dev.lamina.nn.Parameters;
import dev.lamina.nn.init.Initializer;
import dev.lamina.nn.init.Normal;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Consumer;

/**
 * A restricted Boltzmann machine on a device: programs to learn, to judge and to measure, over one set of variables and
 * one arena. Not for several threads at once.
 */
public final class CompiledRbm implements AutoCloseable {
  /** Small enough that hidden units begin undecided, different enough that they part (Hinton 2010, section 8). */
  private static final Normal FIRST_WEIGHT = new Normal(0.01);

  private final RbmSpec spec;
  private final RbmGraphs graphs;
  private final VariableStore store;
  private final Buffer arena;
  private final Program learn;
  private final Program judge;
  private final Program measure;

  /**
   * Plans and binds the programs, and gives every variable its first value: small random weights, biases of 0.
   *
   * @throws IllegalArgumentException if the parts of {@code spec} do not fit together
   * @throws OutOfDeviceMemoryException if there is too little memory; the message names the batch that fits
   */
  public CompiledRbm(Device device, RbmSpec spec) {
    this(device, spec, _ -> {});
  }

  /**
   * The same, with somebody who watches.
   *
   * @param progress is told, on this thread, of each kernel before it is made ready
   */
  public CompiledRbm(Device device, RbmSpec spec, Consumer<Preparation> progress) {
    this.spec = spec;
    RbmPlans.requireRoom(device, spec);
    RbmPlans plans = RbmPlans.forecast(device, spec).prepared(device, progress);
    graphs = plans.graphs();
    Consumer<Op> next = Preparation.counted(Preparation.Stage.BINDING, plans.all(), progress);
    try (Unfinished parts = new Unfinished()) {
      store = parts.add(new VariableStore(device, plans.layout()));
      arena = parts.add(device.allocate(Math.max(plans.arenaBytes(), 64)));
      learn = parts.add(new Program(plans.learn(), device, store, arena, next));
      judge = parts.add(new Program(plans.judge(), device, store, arena, next));
      measure = parts.add(new Program(plans.measure(), device, store, arena, next));
      initialise();
      parts.finished();
    }
  }

  private void initialise() {
    try (Arena scratch = Arena.ofConfined()) {
      for (Parameters.Declaration declaration : graphs.parameters().all()) {
        Variable variable = declaration.variable();
        HostTensor value = HostTensor.allocate(scratch, variable.type());
        declaration.initializer().fill(value, Initializer.generator(spec.seed(), variable.name()));
        store.write(variable, value);
      }
      HostTensor weight = HostTensor.allocate(scratch, graphs.weight().type());
      FIRST_WEIGHT.fill(weight, Initializer.generator(spec.seed(), "rbm." + spec.name()));
      store.write(graphs.weight(), weight);
      store.write(graphs.bias(), HostTensor.allocate(scratch, graphs.bias().type()));
      clearRange();
    }
  }

  private void clearRange() {
    write(graphs.low(), Double.POSITIVE_INFINITY);
    write(graphs.high(), Double.NEGATIVE_INFINITY);
  }

  /** The number of visible units. */
  public int visible() {
    return graphs.visible();
  }

  /**
   * Sets variables, of the machine or of what is in front of it, to given values; other names are passed over.
   *
   * @throws IllegalArgumentException if a value has another type
   */
  public void load(Map<String, HostTensor> values) {
    for (Variable variable : store.layout().variables()) {
      if (values.containsKey(variable.name())) {
        store.write(variable, values.get(variable.name()));
      }
    }
  }

  /** Weight and biases of the machine by name, in {@code memory}. */
  public SequencedMap<String, HostTensor> weights(Arena memory) {
    SequencedMap<String, HostTensor> weights = new LinkedHashMap<>();
    for (Variable variable : List.of(graphs.weight(), graphs.bias(), graphs.visibleBias())) {
      weights.put(variable.name(), store.read(variable, memory));
    }
    return weights;
  }

  /** How fast the next updates go: a learning rate, and the share of the last step that is done again. */
  public void pace(double rate, double momentum) {
    stage("rate", rate);
    stage("momentum", momentum);
  }

  private void stage(String name, double value) {
    try (Arena scratch = Arena.ofConfined()) {
      learn.stage(name, HostTensor.allocate(scratch, TensorType.of(spec.dtype())).fill(value)).await();
    }
  }

  /** Learns from a batch of raw inputs; returns when they may be changed again. */
  public void update(HostTensor inputs) {
    Device.Ticket ticket = learn.stage("images", inputs);
    learn.run();
    ticket.await();
  }

  /**
   * The mean squared difference of a visible unit from its reconstruction, over the updates since the last call; waits
   * for them. It falls while a machine learns, but is not what is made small (Hinton 2010, section 5).
   */
  public double takeReconstructionError() {
    return take(RbmGraphs.ERROR) / take(RbmGraphs.LEARNED) / visible();
  }

  /**
   * Adds raw inputs to the mean free energy.
   *
   * @param weights F32, 1 for each example, 0 for padding
   */
  public void judge(HostTensor inputs, HostTensor weights) {
    pass(judge, inputs, weights);
  }

  /** The mean free energy of what was judged since the last call; waits for it. */
  public double takeFreeEnergy() {
    return take(RbmGraphs.ENERGY) / take(RbmGraphs.JUDGED);
  }

  /** Adds raw inputs to what {@link #takeMeasures} is going to tell. */
  public void measure(HostTensor inputs, HostTensor weights) {
    pass(measure, inputs, weights);
  }

  private static void pass(Program program, HostTensor inputs, HostTensor weights) {
    Device.Ticket first = program.stage("images", inputs);
    Device.Ticket second = program.stage("weights", weights);
    program.run();
    first.await();
    second.await();
  }

  /**
   * What visible units are like.
   *
   * @param examples how many were measured
   * @param sums of each unit over the examples
   * @param squares the sums of their squares
   * @param low the smallest value
   * @param high the largest value
   */
  public record Measures(long examples, double[] sums, double[] squares, double low, double high) {

    /** The variance of a unit over the examples. */
    double variance(int unit) {
      double mean = sums[unit] / examples;
      return squares[unit] / examples - mean * mean;
    }

    /**
     * The biases with which a machine without weights expects each unit as often, or as large, as it is in the data
     * (Hinton 2010, section 8). One example more is thought on and one off, so that no bias is infinite.
     */
    double[] biases(VisibleUnits units) {
      double[] biases = new double[sums.length];
      for (int i = 0; i < biases.length; i++) {
        biases[i] =
            switch (units) {
              case BINARY -> Math.log((sums[i] + 1) / (examples - sums[i] + 1));
              case GAUSSIAN -> sums[i] / examples;
            };
      }
      return biases;
    }
  }

  /** What was measured since the last call; waits for it. */
  public Measures takeMeasures() {
    Measures measures =
        new Measures(
            Math.round(take(RbmGraphs.MEASURED)),
            takeAll(graphs.unitSums()),
            takeAll(graphs.unitSquares()),
            read(graphs.low()),
            read(graphs.high()));
    clearRange();
    return measures;
  }

  /** The sums of all units, which are 0 from now on. */
  private double[] takeAll(Variable sums) {
    try (Arena scratch = Arena.ofConfined()) {
      HostTensor value = store.read(sums, scratch);
      double[] values = value.toDoubles();
      store.write(sums, value.fill(0));
      return values;
    }
  }

  /** Sets the biases of visible units to those that {@code measures} suggests. */
  public void begin(Measures measures) {
    double[] biases = measures.biases(spec.units());
    try (Arena scratch = Arena.ofConfined()) {
      HostTensor value = HostTensor.allocate(scratch, graphs.visibleBias().type());
      for (int i = 0; i < biases.length; i++) {
        value.set(i, biases[i]);
      }
      store.write(graphs.visibleBias(), value);
    }
  }

  /** The value of a sum, which is 0 from now on. */
  private double take(Variable sum) {
    double value = read(sum);
    write(sum, 0);
    return value;
  }

  private double read(Variable scalar) {
    try (Arena scratch = Arena.ofConfined()) {
      return store.read(scalar, scratch).get(0);
    }
  }

  private void write(Variable scalar, double value) {
    try (Arena scratch = Arena.ofConfined()) {
      store.write(scalar, HostTensor.allocate(scratch, scalar.type()).fill(value));
    }
  }

  @Override
  public void close() {
    learn.close();
    judge.close();
    measure.close();
    arena.close();
    store.close();
  }
}
