package dev.lamina.benchmarks.suite;

import dev.lamina.device.Buffer;
import dev.lamina.device.Device;
import dev.lamina.device.Plan;
import dev.lamina.device.Program;
import dev.lamina.device.VariableLayout;
import dev.lamina.device.VariableStore;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Variable;
import dev.lamina.tensor.HostTensor;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.SequencedMap;

/** A graph over variables, ready to run on a device: a run copies nothing in. */
final class Rig implements AutoCloseable {
  private final VariableStore store;
  private final Buffer arena;
  private final Program program;

  /** Plans {@code graph} and gives its variables their values. */
  Rig(Device device, Graph graph, SequencedMap<Variable, HostTensor> values) {
    var layout = new VariableLayout(List.copyOf(values.keySet()));
    Plan plan = Plan.of(graph, device, layout);
    store = new VariableStore(device, layout);
    values.forEach(store::write);
    arena = device.allocate(Math.max(plan.arenaBytes(), 64));
    program = new Program(plan, device, store, arena);
  }

  void run() {
    program.run();
  }

  /** The output {@code name}, in the memory of {@code to}. */
  HostTensor read(String name, Arena to) {
    HostTensor value = HostTensor.allocate(to, program.resultType(name));
    program.read(name, value);
    return value;
  }

  @Override
  public void close() {
    program.close();
    arena.close();
    store.close();
  }
}
