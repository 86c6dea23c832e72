package dev.lamina.study;

import dev.lamina.device.Device;
import dev.lamina.device.OutOfDeviceMemoryException;
import dev.lamina.device.RunningGraph;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Variable;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Set;

/** A graph on a device, with memory for its variables, whose inputs and outputs are numbers. */
public final class Computation implements AutoCloseable {
  private final RunningGraph graph;
  private final Set<String> outputs;

  /**
   * Optimises, plans and binds {@code graph}; variables begin as zeros.
   *
   * @throws OutOfDeviceMemoryException if it does not fit; then nothing of it stays on the device
   */
  public Computation(Device device, Graph graph) {
    outputs = Set.copyOf(graph.outputs().keySet());
    this.graph = new RunningGraph(device, graph);
  }

  /** What the graph reads and assigns. */
  public List<Variable> variables() {
    return graph.variables().layout().variables();
  }

  /** Sets a variable. */
  public void write(Variable variable, HostTensor value) {
    graph.variables().write(variable, value);
  }

  /** Sets an input for all runs that follow. */
  public void stage(String input, HostTensor value) {
    graph.stage(input, value);
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
    graph.run();
  }

  /** Whether there is an output {@code name}. */
  public boolean has(String name) {
    return outputs.contains(name);
  }

  /** The output {@code name} of the last step, in row-major order. */
  public double[] read(String name) {
    return graph.read(name);
  }

  /** The value of a variable, in row-major order. */
  public double[] read(Variable variable) {
    try (Arena scratch = Arena.ofConfined()) {
      return graph.variables().read(variable, scratch).toDoubles();
    }
  }

  @Override
  public void close() {
    graph.close();
  }
}
