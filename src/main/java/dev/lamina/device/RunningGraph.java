package dev.lamina.device;

import dev.lamina.graph.Graph;
import dev.lamina.graph.Op;
import dev.lamina.graph.Variable;
import dev.lamina.tensor.HostTensor;
import java.lang.foreign.Arena;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * One graph on a device, to be run as often as one likes: its program, and of the memory that it takes what is not
 * shared with others.
 */
public final class RunningGraph implements AutoCloseable {
  private final VariableStore variables;
  private final boolean ownsVariables;
  private final Buffer arena; // null where another's is used
  private final Program program;

  /**
   * Optimises, plans and binds {@code graph} with variables of its own, which begin as zeros.
   *
   * @throws OutOfDeviceMemoryException if it does not fit; then nothing of it stays on the device
   */
  public RunningGraph(Device device, Graph graph) {
    VariableLayout layout = new VariableLayout(variables(graph));
    Plan plan = Plan.of(graph, device, layout);
    try (Unfinished parts = new Unfinished()) {
      variables = parts.add(new VariableStore(device, layout));
      ownsVariables = true;
      arena = parts.add(device.allocate(Math.max(plan.arenaBytes(), 64)));
      program = new Program(plan, device, variables, arena);
      parts.finished();
    }
  }

  /**
   * The same beside other programs over the same variables.
   *
   * @param variables that the graph reads and assigns
   * @param others where those programs, which take turns with this one, work: it does too if there is room enough
   * @throws OutOfDeviceMemoryException if it does not fit; then nothing of it stays on the device
   */
  public RunningGraph(Device device, Graph graph, VariableStore variables, Buffer others) {
    Plan plan = Plan.of(graph, device, variables.layout());
    try (Unfinished parts = new Unfinished()) {
      this.variables = variables;
      ownsVariables = false;
      arena = plan.arenaBytes() <= others.bytes() ? null : parts.add(device.allocate(plan.arenaBytes()));
      program = new Program(plan, device, variables, arena == null ? others : arena);
      parts.finished();
    }
  }

  /** What is assigned comes first: packed variables before their members. */
  private static Set<Variable> variables(Graph graph) {
    Set<Variable> variables = new LinkedHashSet<>(graph.assigns().keySet());
    graph
        .nodes()
        .forEach(node -> {
          if (node.op() instanceof Op.Read(Variable variable)) {
            variables.add(variable);
          }
        });
    return variables;
  }

  /** The values of what the graph reads and assigns. */
  public VariableStore variables() {
    return variables;
  }

  /** Hands in an input of the next runs; it stays what it is until another one comes. */
  public void stage(String input, HostTensor value) {
    program.stage(input, value).await();
  }

  /** Starts one step. */
  public void run() {
    program.run();
  }

  /** Waits for the last run; the output {@code name} in {@code memory}. */
  public HostTensor read(String name, Arena memory) {
    return program.read(name, memory);
  }

  /** Waits for the last run; the output {@code name}, in row-major order. */
  public double[] read(String name) {
    try (Arena scratch = Arena.ofConfined()) {
      return read(name, scratch).toDoubles();
    }
  }

  /** Waits for the last run; the output {@code name}, which is one number. */
  public double number(String name) {
    return read(name)[0];
  }

  @Override
  public void close() {
    program.close();
    if (arena != null) {
      arena.close();
    }
    if (ownsVariables) {
      variables.close();
    }
  }
}
