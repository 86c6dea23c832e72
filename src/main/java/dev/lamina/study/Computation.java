package dev.lamina.study;

import dev.lamina.device.Buffer;
import dev.lamina.device.Device;
import dev.lamina.device.OutOfDeviceMemoryException;
import dev.lamina.device.Plan;
import dev.lamina.device.Program;
import dev.lamina.device.Unfinished;
import dev.lamina.device.VariableLayout;
import dev.lamina.device.VariableStore;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Op;
import dev.lamina.graph.Variable;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** A graph on a device, with memory for its variables, to be run as often as one likes. */
public final class Computation implements AutoCloseable {
  private final VariableStore store;
  private final Buffer arena;
  private final Program program;
  private final Set<String> outputs;

  /**
   * Optimises, plans and binds {@code graph}; variables begin as zeros.
   *
   * @throws OutOfDeviceMemoryException if it does not fit; then nothing of it stays on the device
   */
  public Computation(Device device, Graph graph) {
    outputs = Set.copyOf(graph.outputs().keySet());
    Set<Variable> variables = new LinkedHashSet<>(graph.assigns().keySet());
    graph
        .nodes()
        .forEach(node -> {
          if (node.op() instanceof Op.Read(Variable variable)) {
            variables.add(variable);
          }
        });
    VariableLayout layout = new VariableLayout(variables);
    Plan plan = Plan.of(graph, device, layout);
    try (Unfinished parts = new Unfinished()) {
      store = parts.add(new VariableStore(device, layout));
      arena = parts.add(device.allocate(Math.max(plan.arenaBytes(), 64)));
      program = new Program(plan, device, store, arena);
      parts.finished();
    }
  }

  /** What the graph reads and assigns. */
  public List<Variable> variables() {
    return store.layout().variables();
  }

  /** Sets a variable. */
  public void write(Variable variable, HostTensor value) {
    store.write(variable, value);
  }

  /** Sets an input for all runs that follow. */
  public void stage(String input, HostTensor value) {
    program.stage(input, value).await();
  }

  /** Sets an input that is one number. */
  public void stage(String input, TensorType type, double value) {
    try (Arena scratch = Arena.ofConfined()) {
      stage(input, HostTensor.allocate(scratch, type).fill(value));
    }
  }

  /** Sets an input to values in row-major order. */
  public void stage(String input, TensorType type, double[] values) {
    try (Arena scratch = Arena.ofConfined()) {
      HostTensor tensor = HostTensor.allocate(scratch, type);
      for (int i = 0; i < values.length; i++) {
        tensor.set(i, values[i]);
      }
      stage(input, tensor);
    }
  }

  /** One step. */
  public void run() {
    program.run();
  }

  /** Whether there is an output {@code name}. */
  public boolean has(String name) {
    return outputs.contains(name);
  }

  /** The output {@code name} of the last step, in row-major order. */
  public double[] read(String name) {
    try (Arena scratch = Arena.ofConfined()) {
      HostTensor value = HostTensor.allocate(scratch, program.resultType(name));
      program.read(name, value);
      return values(value);
    }
  }

  /** The value of a variable, in row-major order. */
  public double[] read(Variable variable) {
    try (Arena scratch = Arena.ofConfined()) {
      HostTensor value = HostTensor.allocate(scratch, variable.type());
      store.read(variable, value);
      return values(value);
    }
  }

  private static double[] values(HostTensor tensor) {
    double[] values = new double[Math.toIntExact(tensor.size())];
    for (int i = 0; i < values.length; i++) {
      values[i] = tensor.get(i);
    }
    return values;
  }

  @Override
  public void close() {
    program.close();
    arena.close();
    store.close();
  }
}
