package dev.lamina.benchmarks;

import dev.lamina.device.Buffer;
import dev.lamina.device.Device;
import dev.lamina.device.Plan;
import dev.lamina.device.Program;
import dev.lamina.device.VariableLayout;
import dev.lamina.device.VariableStore;
import dev.lamina.graph.Cost;
import dev.lamina.graph.Node;
import dev.lamina.graph.Op;
import dev.lamina.graph.Variable;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import java.lang.foreign.Arena;
import java.util.Collection;
import java.util.List;

/** A {@link Definition} as a program on a device. */
public final class GraphWorkload implements Workload {
  private final Device device;
  private final Definition definition;
  private final Plan plan;
  private final List<Variable> assigned;
  private final VariableStore store;
  private final Buffer arena;
  private final Program program;

  /** Plans {@code definition} and gives its operands their values. */
  public GraphWorkload(Device device, Definition definition) {
    this(device, definition, DType.F32);
  }

  private GraphWorkload(Device device, Definition definition, DType dtype) {
    this.device = device;
    this.definition = definition;
    var problem = new Problem(dtype);
    definition.graph().accept(problem);
    assigned = problem.assigned();
    var layout = new VariableLayout(problem.variables());
    plan = Plan.of(problem.graph(), device, layout);
    store = new VariableStore(device, layout);
    arena = device.allocate(Math.max(plan.arenaBytes(), 64));
    program = new Program(plan, device, store, arena);
    for (Variable variable : problem.variables()) {
      try (Arena scratch = Arena.ofConfined()) {
        HostTensor value = HostTensor.allocate(scratch, variable.type());
        problem.fill(variable, value);
        store.write(variable, value);
      }
    }
  }

  @Override
  public void run() {
    program.run();
    device.synchronize();
  }

  /** The sum over what runs: what fusion saves in memory traffic is not in it. */
  @Override
  public Cost cost() {
    return sum(plan.graph().nodes());
  }

  /** The cost of all nodes that are work. */
  static Cost sum(Collection<Node> nodes) {
    long flops = 0;
    long bytes = 0;
    for (Node node : nodes) {
      if (!(node.op() instanceof Op.Read) && !(node.op() instanceof Op.Input)) {
        Cost cost = Cost.of(node.op(), node.inputTypes());
        flops += cost.flops();
        bytes += cost.bytes();
      }
    }
    return new Cost(flops, bytes);
  }

  @Override
  public long elements() {
    return definition.elements();
  }

  @Override
  public double verify() {
    run();
    double ulps = Double.NaN;
    try (Device reference = BenchmarkDevices.reference();
        GraphWorkload exact = new GraphWorkload(reference, definition, DType.F64)) {
      exact.run();
      for (String name : outputs()) {
        try (Arena scratch = Arena.ofConfined()) {
          var comparison = Comparison.of(read(name, scratch), exact.read(name, scratch));
          comparison.require(device.name() + ", " + name, definition.sensitivity());
          if (name.equals(Definition.RESULT)) {
            ulps = comparison.ulps();
          }
        }
      }
    }
    return ulps;
  }

  private List<String> outputs() {
    return List.copyOf(plan.graph().outputs().keySet());
  }

  /** The values of all outputs; of the assigned operands where there are none. */
  public List<HostTensor> results(Arena memory) {
    if (outputs().isEmpty()) {
      return assigned.stream().map(variable -> read(variable, memory)).toList();
    }
    return outputs().stream().map(name -> read(name, memory)).toList();
  }

  private HostTensor read(Variable variable, Arena memory) {
    HostTensor value = HostTensor.allocate(memory, variable.type());
    store.read(variable, value);
    return value;
  }

  private HostTensor read(String output, Arena memory) {
    HostTensor value = HostTensor.allocate(memory, program.resultType(output));
    program.read(output, value);
    return value;
  }

  @Override
  public void close() {
    program.close();
    arena.close();
    store.close();
  }
}
