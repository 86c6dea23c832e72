package dev.lamina.device.cpu;

import dev.lamina.graph.Op;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * A reduction over any set of axes: one {@link ReduceKernel} where the axes that go are neighbours, else one after the
 * other, innermost axes first, with doubles between them.
 */
final class Reduction {
  private final List<ReduceKernel> kernels;

  /** Where in the workspace each kernel's result goes, but the last one's. */
  private final long[] results;

  private final long workspaceBytes;

  private Reduction(List<ReduceKernel> kernels, long[] results, long workspaceBytes) {
    this.kernels = kernels;
    this.results = results;
    this.workspaceBytes = workspaceBytes;
  }

  /**
   * Prepares a reduction.
   *
   * @param first makes the kernel that computes the values, for its extents and the type of its result
   * @param further makes the kernels that go on with the result before, doubles
   */
  static Reduction prepare(Op.Reduce op, Stage first, Stage further) {
    List<Group> groups = groups(op.shape(), op.axes());
    List<ReduceKernel> kernels = new ArrayList<>();
    List<Long> sizes = new ArrayList<>();
    do {
      Stage.Form form = cutLast(groups);
      boolean last = groups.stream().noneMatch(group -> group.reduced);
      Stage.Form typed = new Stage.Form(form.extents, last ? op.dtype() : DType.F64);
      kernels.add(kernels.isEmpty() ? first.kernel(typed) : further.kernel(typed));
      sizes.add(last ? 0 : 8L * form.extents[0] * form.extents[2]);
    } while (groups.stream().anyMatch(group -> group.reduced));

    long offset = kernels.stream().mapToLong(ReduceKernel::workspaceBytes).max().orElse(0);
    long[] results = new long[kernels.size()];
    for (int i = 0; i < results.length; i++) {
      results[i] = offset;
      offset += Memory.aligned(sizes.get(i));
    }
    return new Reduction(kernels, results, offset);
  }

  /** Makes the kernel of one stage. */
  interface Stage {
    ReduceKernel kernel(Form form);

    /**
     * What a stage is asked for.
     *
     * @param extents [outer][reduced][inner]
     * @param result element type of its result
     */
    record Form(int[] extents, DType result) {}
  }

  /** Neighbouring dimensions that go or stay together. */
  private record Group(int extent, boolean reduced) {}

  private static List<Group> groups(Shape shape, List<Integer> axes) {
    List<Group> groups = new ArrayList<>();
    for (int axis = 0; axis < shape.rank(); axis++) {
      boolean reduced = axes.contains(axis);
      if (shape.dim(axis) != 1) {
        append(groups, new Group(shape.dim(axis), reduced));
      }
    }
    return groups;
  }

  private static void append(List<Group> groups, Group group) {
    if (!groups.isEmpty() && groups.getLast().reduced == group.reduced) {
      groups.add(new Group(Math.multiplyExact(groups.removeLast().extent, group.extent), group.reduced));
    } else {
      groups.add(group);
    }
  }

  /** Takes the innermost group that goes out of the list and returns what surrounds it. */
  private static Stage.Form cutLast(List<Group> groups) {
    int[] extents = {1, 1, 1};
    if (!groups.isEmpty() && !groups.getLast().reduced) {
      extents[2] = groups.removeLast().extent;
    }
    if (!groups.isEmpty()) {
      extents[1] = groups.removeLast().extent;
    }
    for (Group group : groups) {
      extents[0] = Math.multiplyExact(extents[0], group.extent);
    }
    if (extents[2] > 1) {
      append(groups, new Group(extents[2], false));
    }
    return new Stage.Form(extents, null);
  }

  /** Scratch memory of a run in bytes. */
  long workspaceBytes() {
    return workspaceBytes;
  }

  /** Whether an output may lie exactly where an input lies: the reduction's is made while inputs are still read. */
  boolean canShare(int input, int output) {
    return output > 0 && kernels.getFirst().canShare(input, output);
  }

  /**
   * Fixes the addresses.
   *
   * @param outputs of the reduction, then of what is stored beside it
   */
  Bound bind(long[] inputs, long[] outputs, long workspace) {
    List<ReduceKernel.Bound> bound = new ArrayList<>();
    long[] sources = inputs;
    long[] targets = outputs.clone();
    for (int i = 0; i < results.length; i++) {
      targets[0] = i == results.length - 1 ? outputs[0] : workspace + results[i];
      bound.add(kernels.get(i).bind(sources, targets, workspace));
      sources = new long[] {targets[0]};
    }
    return new Bound(bound.toArray(ReduceKernel.Bound[]::new));
  }

  /** A reduction with its addresses. */
  static final class Bound {
    private final ReduceKernel.Bound[] kernels;

    private Bound(ReduceKernel.Bound[] kernels) {
      this.kernels = kernels;
    }

    /** Computes all results. */
    void run(Workers workers) {
      for (ReduceKernel.Bound kernel : kernels) {
        kernel.run(workers);
      }
    }
  }
}
