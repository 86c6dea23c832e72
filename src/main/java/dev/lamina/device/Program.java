package dev.lamina.device;

import dev.lamina.graph.MemoryPlan;
import dev.lamina.graph.Node;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * A plan with its addresses: runs one step at a time, without allocating. Programs over the same variables share one
 * arena, so a result is read from its own memory, while intermediate values are gone when another program runs. Owns
 * its staged inputs and results, and what kernels keep from run to run.
 */
public final class Program implements AutoCloseable {

  /** One kernel of a program, to be run and timed alone. */
  public record Part(Node node, Step step) {}

  private final Device device;
  private final VariableStore variables;
  private final boolean assigns;
  private final Buffer own;
  private final Map<String, DeviceTensor> staged = new LinkedHashMap<>();
  private final Map<String, DeviceTensor> results = new LinkedHashMap<>();
  private final List<Part> parts = new ArrayList<>();
  private final Device.Replay all;

  /** Whether what kernels keep has to be made anew: always, but in a run that finds the variables unchanged. */
  private boolean changed = true;

  /** Of the variables, when what is kept was made. */
  private long keptVersion = -1;

  /**
   * Binds {@code plan}.
   *
   * @throws OutOfDeviceMemoryException if inputs and results do not fit
   */
  public Program(Plan plan, Device device, VariableStore variables, Buffer arena) {
    this(plan, device, variables, arena, _ -> {});
  }

  /**
   * Binds {@code plan}, which on some devices compiles kernels.
   *
   * @param arena at least {@code plan.arenaBytes()}, shared by programs that take turns
   * @param next is told each operation before its kernel is bound
   * @throws OutOfDeviceMemoryException if inputs and results do not fit
   */
  public Program(Plan plan, Device device, VariableStore variables, Buffer arena, Consumer<Op> next) {
    if (arena.bytes() < plan.arenaBytes()) {
      throw new IllegalArgumentException(
          "the plan needs an arena of " + plan.arenaBytes() + " bytes, got " + arena.bytes());
    }
    this.device = device;
    this.variables = variables;
    assigns = !plan.graph().assigns().isEmpty();
    own = device.allocate(Math.max(plan.ownBytes(), 64));
    try {
      Binding binding = new Binding(plan, variables, arena, own);
      List<DeviceTensor> sources = new ArrayList<>();
      List<DeviceTensor> taken = new ArrayList<>();
      List<Step> steps = new ArrayList<>();
      long offset = plan.resultBytes();
      for (Node node : plan.inputs()) {
        TensorType type = node.types().getFirst();
        DeviceTensor source = new DeviceTensor(own, offset, type);
        staged.put(((Op.Input) node.op()).name(), source);
        sources.add(source);
        taken.add(binding.tensor(plan.graph().tensor(node, 0)));
        offset += Plan.stagedBytes(node);
      }
      for (Plan.Entry entry : plan.entries()) {
        next.accept(entry.node().op());
        Step step = binding.bind(entry, offset, () -> changed);
        parts.add(new Part(entry.node(), assigns ? changing(step) : step));
        steps.add(step);
      }
      for (Plan.Copy copy : plan.copies()) {
        DeviceTensor target = binding.at(copy.to(), 0, copy.from().type());
        steps.add(device.copy(List.of(binding.tensor(copy.from())), List.of(target)));
      }
      plan.results()
          .forEach((name, root) -> results.put(name, binding.at(root, 0, plan.graph().outputs().get(name).type())));
      all = device.capture(name(plan), device.copy(sources, taken), steps);
      clearInputs();
    } catch (RuntimeException e) {
      own.close();
      throw e;
    }
  }

  /** A step that may change a variable when it is run alone. */
  private Step changing(Step step) {
    return () -> {
      variables.changes();
      step.run();
    };
  }

  /** What users call a program like this. */
  private static String name(Plan plan) {
    boolean trains = plan.graph().nodes().stream().anyMatch(node -> node.phase() == Node.Phase.BACKWARD);
    return (trains ? "a training step" : plan.graph().assigns().isEmpty() ? "a prediction" : "an evaluation step")
        + " of "
        + plan.entries().size()
        + " operations";
  }

  /** Inputs are zeros until they are staged. */
  private void clearInputs() {
    try (Arena arena = Arena.ofConfined()) {
      for (DeviceTensor input : staged.values()) {
        device.upload(HostTensor.allocate(arena, input.type()), input).await();
      }
    }
  }

  /** Turns places into addresses. */
  private record Binding(Plan plan, VariableStore variables, Buffer arena, Buffer own) {

    /** Binds a kernel; {@code keptAt} is where in {@code own} the memory begins for what kernels keep. */
    Step bind(Plan.Entry entry, long keptAt, BooleanSupplier changed) {
      List<DeviceTensor> inputs = entry.node().inputs().stream().map(this::tensor).toList();
      List<DeviceTensor> outputs = new ArrayList<>();
      for (int i = 0; i < entry.node().types().size(); i++) {
        outputs.add(tensor(plan.graph().tensor(entry.node(), i)));
      }
      DeviceTensor workspace =
          entry.workspace() == null ? null : bytes(arena, entry.workspace().offset(), entry.workspace().bytes());
      Plan.Kept kept = entry.kept();
      return kept == null
          ? entry.kernel().bind(inputs, outputs, workspace)
          : entry.kernel().bind(inputs, outputs, workspace, bytes(own, keptAt + kept.offset(), kept.bytes()), changed);
    }

    /** In rows, as one dimension ends at 2 GiB; what lies there is a multiple of a row. */
    private static DeviceTensor bytes(Buffer buffer, long offset, long count) {
      int row = (int) MemoryPlan.ALIGNMENT;
      return new DeviceTensor(buffer, offset, TensorType.of(DType.U8, Math.toIntExact(Math.ceilDiv(count, row)), row));
    }

    DeviceTensor tensor(Tensor tensor) {
      Plan.Place place = plan.place(tensor);
      return at(place.root(), place.offset(), tensor.type());
    }

    DeviceTensor at(Plan.Root root, long offset, TensorType type) {
      return switch (root) {
        case Plan.Root.InArena(var block) -> new DeviceTensor(arena, block.offset() + offset, type);
        case Plan.Root.InVariable(var variable) -> {
          DeviceTensor whole = variables.tensor(variable);
          yield new DeviceTensor(whole.buffer(), whole.offset() + offset, type);
        }
        case Plan.Root.InResults(long start) -> new DeviceTensor(own, start + offset, type);
      };
    }
  }

  /**
   * Stages the input {@code name} for the next run. An input that the optimised program does not read is ignored.
   *
   * @throws IllegalArgumentException if {@code value} is not of the input's type
   */
  public Device.Ticket stage(String name, HostTensor value) {
    DeviceTensor target = staged.get(name);
    if (target == null) {
      return Device.Ticket.DONE;
    }
    if (!target.type().equals(value.type())) {
      throw new IllegalArgumentException("input " + name + ": expected " + target.type() + ", got " + value.type());
    }
    return device.stage(value, target);
  }

  /** Starts one step on the staged inputs. */
  public void run() {
    if (assigns) {
      variables.changes();
    }
    long version = variables.version();
    changed = version != keptVersion;
    try {
      all.run();
      keptVersion = version;
    } finally {
      changed = true;
    }
  }

  /**
   * Waits for the last run and copies the output {@code name} to {@code target}.
   *
   * @throws IllegalArgumentException if there is no such output, or {@code target} is not of its type
   */
  public void read(String name, HostTensor target) {
    DeviceTensor result = results.get(name);
    if (result == null || !result.type().equals(target.type())) {
      throw new IllegalArgumentException(
          result == null
              ? "there is no output " + name + " among " + results.keySet()
              : "output " + name + " is " + result.type() + ", got " + target.type());
    }
    device.download(result, target);
  }

  /** Waits for the last run; the output {@code name} in {@code memory}. */
  public HostTensor read(String name, Arena memory) {
    HostTensor result = HostTensor.allocate(memory, resultType(name));
    read(name, result);
    return result;
  }

  /** The type of the output {@code name}. */
  public TensorType resultType(String name) {
    return results.get(name).type();
  }

  /** The kernels in their order, to be timed one by one. */
  public List<Part> parts() {
    return parts;
  }

  @Override
  public void close() {
    all.close();
    own.close();
  }
}
