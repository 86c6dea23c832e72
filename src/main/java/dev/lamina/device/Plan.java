package dev.lamina.device;

import dev.lamina.graph.Graph;
import dev.lamina.graph.MemoryPlan;
import dev.lamina.graph.MemoryPlan.Block;
import dev.lamina.graph.Node;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.graph.passes.Passes;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A graph made ready for a device: optimised, its kernels prepared, and every value given a place. Nothing is allocated
 * yet, so the memory that a step needs is known before anything runs.
 *
 * <p>A value lies in the arena, in a variable, or in the memory of results, which outlives the step. Views, parts of a
 * pack, values that a kernel computes in place, and new values of variables nobody reads any more share the memory of
 * another.
 */
public final class Plan {

  /** A value's memory: some bytes into a root that it may share with others. */
  record Place(Root root, long offset) {}

  /** Memory that is not part of other memory. */
  sealed interface Root {
    /** In the arena. */
    record InArena(Block block) implements Root {}

    /** A variable's own. */
    record InVariable(Variable variable) implements Root {}

    /** In the memory of results, {@code offset} bytes in. */
    record InResults(long offset) implements Root {}
  }

  /**
   * A kernel in the order of execution.
   *
   * @param workspace null if it needs none
   * @param kept for what it keeps from run to run, see {@link Kernel#keptBytes}; null if it keeps nothing
   */
  record Entry(Node node, Kernel kernel, Block workspace, Kept kept) {}

  /** A part of the memory for what kernels keep, in bytes. */
  record Kept(long offset, long bytes) {}

  /** What a kernel makes of a variable: the same for all nodes that it runs, steps in time for instance. */
  private record Made(Kernel kernel, Variable from) {}

  /** A copy at the end of a step, from where a value was computed to where it has to be. */
  record Copy(Tensor from, Root to) {}

  /**
   * Of a slice that is a view, or a part of a pack that is computed in it, in bytes: two of the widest accesses of a
   * GPU's thread, half a line of the cache.
   */
  private static final long VIEW_ALIGNMENT = 32;

  private final Graph graph;
  private final VariableLayout layout;
  private final boolean keeps;
  private final MemoryPlan memory = new MemoryPlan();
  private final List<Entry> entries = new ArrayList<>();
  private final List<Node> inputs = new ArrayList<>();
  private final List<Copy> copies = new ArrayList<>();
  private final Map<Tensor, Place> places = new HashMap<>();
  private final Map<Tensor, Integer> lastUse = new HashMap<>();
  private final Map<Block, Integer> lastUseOfBlock = new HashMap<>();
  private final Map<String, Root.InResults> results = new HashMap<>();
  private final Map<Node, Integer> position = new HashMap<>();
  private final Map<Made, Kept> kept = new HashMap<>();
  private long resultBytes;
  private long keptBytes;
  private final int end;

  /** A kernel for an operation on inputs of these types. */
  @FunctionalInterface
  private interface Kernels {
    Kernel of(Op op, List<TensorType> inputs);
  }

  private Plan(Graph graph, Kernels source, VariableLayout layout, boolean keeps) {
    this.graph = graph;
    this.layout = layout;
    this.keeps = keeps && graph.assigns().isEmpty();
    List<Kernel> kernels = new ArrayList<>();
    List<Node> work = new ArrayList<>();
    for (Node node : graph.nodes()) {
      switch (node.op()) {
        case Op.Input _ -> inputs.add(node);
        case Op.Read _ -> {}
        default -> {
          if (!isView(node)) {
            work.add(node);
            kernels.add(source.of(node.op(), node.inputTypes()));
          }
        }
      }
    }
    end = work.size();
    for (int i = 0; i < end; i++) {
      position.put(work.get(i), i);
    }
    graph.nodes().forEach(node -> findLastUses(node));
    placeResults(work, kernels);
    inputs.forEach(node -> put(graph.tensor(node, 0), inArena(graph.tensor(node, 0), 0)));
    for (Node node : graph.nodes()) {
      place(node, position.containsKey(node) ? kernels.get(position.get(node)) : null);
    }
    for (int i = 0; i < end; i++) {
      long bytes = kernels.get(i).workspaceBytes();
      Block workspace = bytes == 0 ? null : memory.block(bytes, i);
      entries.add(new Entry(work.get(i), kernels.get(i), workspace, kept(work.get(i), kernels.get(i))));
    }
    places.forEach((tensor, place) -> {
      if (place.root instanceof Root.InArena(Block block)) {
        block.extend(firstNeeded(tensor));
        block.extend(lastUse.getOrDefault(tensor, firstNeeded(tensor)));
      }
    });
    memory.place();
  }

  /**
   * Optimises and plans {@code graph} for {@code device}.
   *
   * @throws UnsupportedOnDeviceException if the device cannot run one of its operations
   */
  public static Plan of(Graph graph, Device device, VariableLayout layout) {
    return new Plan(optimised(graph, device, layout), device::prepare, layout, false);
  }

  /**
   * The same as far as it can be told without running anything: good for the memory that it will need, and to be {@link
   * #prepared}, not to be run.
   *
   * @throws UnsupportedOnDeviceException if the device cannot run one of its operations
   */
  public static Plan forecast(Graph graph, Device device, VariableLayout layout) {
    return new Plan(optimised(graph, device, layout), device::forecast, layout, false);
  }

  /**
   * A forecast with memory for kernels to keep what they make of variables from run to run, see {@link
   * Kernel#keptBytes}; those of a graph that changes variables never do.
   */
  public Plan keeping(Device device) {
    return new Plan(graph, device::forecast, layout, true);
  }

  private static Graph optimised(Graph graph, Device device, VariableLayout layout) {
    List<Variable> packs = layout.variables().stream().filter(variable -> !variable.members().isEmpty()).toList();
    return Passes.optimise(graph, (op, types) -> device.unsupported(op, types).isEmpty(), packs);
  }

  /**
   * A forecast with its kernels prepared.
   *
   * @param next is told each operation before its kernel is prepared
   */
  public Plan prepared(Device device, Consumer<Op> next) {
    return new Plan(
        graph,
        (op, inputs) -> {
          next.accept(op);
          return device.prepare(op, inputs);
        },
        layout,
        keeps);
  }

  /** Only what is made of a variable can be kept. */
  private Kept kept(Node node, Kernel kernel) {
    if (!keeps
        || kernel.keptBytes() == 0
        || !(base(node.inputs().get(1)).node().op() instanceof Op.Read(Variable variable))) {
      return null;
    }
    return kept.computeIfAbsent(
        new Made(kernel, variable),
        _ -> {
          Kept next = new Kept(keptBytes, aligned(kernel.keptBytes()));
          keptBytes += next.bytes;
          return next;
        });
  }

  private static long aligned(long bytes) {
    return Math.ceilDiv(bytes, MemoryPlan.ALIGNMENT) * MemoryPlan.ALIGNMENT;
  }

  private int firstNeeded(Tensor tensor) {
    return position.getOrDefault(origin(tensor).node(), 0);
  }

  /** A view is used wherever its views are. */
  private void findLastUses(Node node) {
    int at = position.getOrDefault(node, 0);
    for (Tensor input : node.inputs()) {
      for (Tensor tensor = input; tensor != null; tensor = viewed(tensor)) {
        lastUse.merge(tensor, at, Math::max);
      }
    }
  }

  /** What {@code tensor} is a view of, or null. */
  private static Tensor viewed(Tensor tensor) {
    return isView(tensor.node()) ? tensor.node().inputs().getFirst() : null;
  }

  /**
   * A slice whose bytes lie one behind the other, at a multiple of what a kernel reads at once, is memory that is there
   * already. Not one of a variable, whose old value has to outlive its new one.
   */
  private static boolean isView(Node node) {
    return switch (node.op()) {
      case Op.Reshape _ -> true;
      case Op.Slice slice ->
          sliceOffset(node, slice) % VIEW_ALIGNMENT == 0
              && IntStream.range(0, slice.axis()).allMatch(axis -> node.types().getFirst().shape().dim(axis) == 1)
              && !(origin(node.inputs().getFirst()).node().op() instanceof Op.Read);
      default -> false;
    };
  }

  /** Where a slice begins in what it is a slice of, in bytes, if that is one piece. */
  private static long sliceOffset(Node node, Op.Slice slice) {
    TensorType type = node.types().getFirst();
    long row = type.bytes() / Math.max(1, type.shape().dim(slice.axis()));
    return slice.start() * row;
  }

  /** The same elements before they were given another shape. */
  private static Tensor base(Tensor tensor) {
    Tensor base = tensor;
    while (base.node().op() instanceof Op.Reshape) {
      base = base.node().inputs().getFirst();
    }
    return base;
  }

  /** What was computed, of which {@code tensor} is a view or a view of a view; itself if it is none. */
  private static Tensor origin(Tensor tensor) {
    Tensor origin = tensor;
    while (viewed(origin) != null) {
      origin = viewed(origin);
    }
    return origin;
  }

  /**
   * Results and new values of variables: computed in their final place where possible, else copied there at the end;
   * results first, for they may be old values of variables.
   */
  private void placeResults(List<Node> work, List<Kernel> kernels) {
    List<Copy> commits = new ArrayList<>();
    graph
        .assigns()
        .forEach((variable, value) -> {
          Root root = new Root.InVariable(variable);
          if (canCommitInPlace(variable, value, work, kernels)) {
            put(base(value), new Place(root, 0));
          } else {
            if (base(value).node().op() instanceof Op.Read(Variable read) && graph.assigns().containsKey(read)) {
              throw new IllegalArgumentException(
                  "assign "
                      + variable.name()
                      + ": the old value of "
                      + read.name()
                      + ", which changes too; give it by an operation");
            }
            commits.add(new Copy(value, root));
            keepToEnd(value);
          }
        });
    graph
        .outputs()
        .forEach((name, value) -> {
          Root.InResults root = new Root.InResults(resultBytes);
          results.put(name, root);
          resultBytes += aligned(Math.max(value.type().bytes(), 1));
          Tensor base = base(value);
          if (position.containsKey(base.node()) && !places.containsKey(base)) {
            put(base, new Place(root, 0));
          } else {
            copies.add(new Copy(value, root));
            keepToEnd(value);
          }
        });
    copies.addAll(commits);
    // A pack that is part of another gets its place before its own parts do.
    for (Node node : work.reversed()) {
      if (node.op() instanceof Op.Pack pack) {
        placeParts(node, pack);
      }
    }
  }

  private void put(Tensor tensor, Place place) {
    places.put(tensor, place);
    if (place.root instanceof Root.InArena(Block block)) {
      lastUseOfBlock.merge(block, lastUse.getOrDefault(tensor, 0), Math::max);
    }
  }

  private void keepToEnd(Tensor value) {
    for (Tensor tensor = value; tensor != null; tensor = viewed(tensor)) {
      lastUse.put(tensor, end);
    }
  }

  /**
   * Whether the kernel that makes a variable's new value may write it over the old one: nobody reads the old one, or
   * anything that shares its memory, later; and who reads it in the same kernel reads exactly where it writes.
   */
  private boolean canCommitInPlace(Variable variable, Tensor value, List<Node> work, List<Kernel> kernels) {
    Tensor base = base(value);
    Integer at = position.get(base.node());
    if (at == null || places.containsKey(base)) {
      return false;
    }
    for (Variable other : graph.assigns().keySet()) {
      if (other != variable && layout.overlap(other, variable)) {
        return false;
      }
    }
    // A result may be the old value itself; it is copied out at the end.
    boolean oldValueIsResult =
        Stream.concat(graph.assigns().values().stream(), graph.outputs().values().stream())
            .anyMatch(
                result -> base(result).node().op() instanceof Op.Read(Variable read) && layout.overlap(read, variable));
    if (oldValueIsResult) {
      return false;
    }
    for (Node node : graph.nodes()) {
      if (!(node.op() instanceof Op.Read(Variable read)) || !layout.overlap(read, variable)) {
        continue;
      }
      int last = lastUse.getOrDefault(graph.tensor(node, 0), -1);
      if (last > at || (last == at && !readsExactly(work.get(at), kernels.get(at), read, variable, base.index()))) {
        return false;
      }
    }
    return true;
  }

  private static boolean readsExactly(Node node, Kernel kernel, Variable read, Variable written, int output) {
    if (!read.equals(written)) {
      return false;
    }
    return IntStream.range(0, node.inputs().size())
        .filter(i -> base(node.inputs().get(i)).node().op() instanceof Op.Read(Variable v) && v.equals(read))
        .allMatch(i -> kernel.canShare(i, output));
  }

  /** Lets the inputs of a pack be computed where they belong in it, if they belong nowhere else. */
  private void placeParts(Node node, Op.Pack pack) {
    Tensor packed = graph.tensor(node, 0);
    if (!places.containsKey(packed)) {
      put(packed, inArena(packed, position.get(node)));
    }
    Place whole = places.get(packed);
    if (!(whole.root instanceof Root.InArena)) {
      return;
    }
    Set<Tensor> parts = new HashSet<>();
    for (int i = 0; i < node.inputs().size(); i++) {
      Tensor part = base(node.inputs().get(i));
      long offset = whole.offset + pack.offsets().get(i) * part.dtype().bytes();
      if (offset % VIEW_ALIGNMENT == 0
          && position.containsKey(part.node())
          && !places.containsKey(part)
          && parts.add(part)) {
        put(part, new Place(whole.root, offset));
      }
    }
  }

  private Place inArena(Tensor tensor, int at) {
    return new Place(new Root.InArena(memory.block(tensor.type().bytes(), at)), 0);
  }

  private void place(Node node, Kernel kernel) {
    if (node.op() instanceof Op.Read(Variable variable)) {
      put(graph.tensor(node, 0), new Place(new Root.InVariable(variable), 0));
    } else if (isView(node)) {
      Place whole = places.get(node.inputs().getFirst());
      long offset = node.op() instanceof Op.Slice slice ? sliceOffset(node, slice) : 0;
      put(graph.tensor(node, 0), new Place(whole.root, whole.offset + offset));
    } else {
      Set<Block> taken = new HashSet<>();
      for (int output = 0; output < node.types().size(); output++) {
        Tensor tensor = graph.tensor(node, output);
        if (!places.containsKey(tensor)) {
          Place shared = kernel == null ? null : reusableInput(node, kernel, output, taken);
          put(tensor, shared == null ? inArena(tensor, firstNeeded(tensor)) : shared);
        }
      }
    }
  }

  /**
   * The place of an input that dies here and that {@code kernel} can overwrite with {@code output}; null if there is
   * none.
   */
  private Place reusableInput(Node node, Kernel kernel, int output, Set<Block> taken) {
    int at = position.get(node);
    for (int i = 0; i < node.inputs().size(); i++) {
      Tensor input = node.inputs().get(i);
      Tensor base = base(input);
      if (kernel.canShare(i, output)
          && input.type().bytes() == node.types().get(output).bytes()
          && places.get(base) instanceof Place(Root.InArena(Block block), long offset)
          && offset == 0
          && block.bytes() == aligned(input.type().bytes())
          && diesAt(block, at)
          && readOnce(node, base)
          && taken.add(block)) {
        return places.get(base);
      }
    }
    return null;
  }

  /** Whether no value in {@code block} is used after {@code at}. */
  private boolean diesAt(Block block, int at) {
    return lastUseOfBlock.get(block) <= at;
  }

  private static boolean readOnce(Node node, Tensor base) {
    return node.inputs().stream().filter(input -> base(input).equals(base)).count() == 1;
  }

  /** The graph as it runs, after the passes. */
  public Graph graph() {
    return graph;
  }

  /** How many kernels a step runs, without copies. */
  public int kernels() {
    return end;
  }

  /** Scratch memory of a step in bytes; programs that never run at the same time share it. */
  public long arenaBytes() {
    return memory.peak();
  }

  /** Memory in bytes that a program of this plan needs for itself: results, staged inputs, and what kernels keep. */
  public long ownBytes() {
    return resultBytes + inputs.stream().mapToLong(node -> stagedBytes(node)).sum() + keptBytes;
  }

  static long stagedBytes(Node input) {
    return aligned(Math.max(input.types().getFirst().bytes(), 1));
  }

  List<Entry> entries() {
    return entries;
  }

  List<Node> inputs() {
    return inputs;
  }

  List<Copy> copies() {
    return copies;
  }

  Place place(Tensor tensor) {
    return places.get(tensor);
  }

  Map<String, Root.InResults> results() {
    return results;
  }

  long resultBytes() {
    return resultBytes;
  }
}
