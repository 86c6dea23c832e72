package dev.lamina.train.pretrain;

import dev.lamina.device.Device;
import dev.lamina.device.OutOfDeviceMemoryException;
import dev.lamina.device.Plan;
import dev.lamina.device.Preparation;
import dev.lamina.device.VariableLayout;
import dev.lamina.graph.Op;
import dev.lamina.train.MemoryAdvice;
import java.util.List;
import java.util.function.Consumer;

/**
 * All programs of a machine, planned over one set of variables; nothing is allocated.
 *
 * @param graphs of the programs
 * @param layout of the variables
 * @param learn an update
 * @param judge a pass that adds to the free energy
 * @param measure a pass that looks at the visible units
 */
record RbmPlans(RbmGraphs graphs, VariableLayout layout, Plan learn, Plan judge, Plan measure) {
  /** What {@code spec} is going to need, as far as that can be told without running anything. */
  static RbmPlans forecast(Device device, RbmSpec spec) {
    RbmGraphs graphs = new RbmGraphs(spec);
    // Graphs declare variables as they are made.
    var learning = graphs.learning();
    var judging = graphs.judging();
    var measuring = graphs.measuring();
    VariableLayout layout = new VariableLayout(graphs.variables());
    return new RbmPlans(
        graphs,
        layout,
        Plan.forecast(learning, device, layout),
        Plan.forecast(judging, device, layout),
        Plan.forecast(measuring, device, layout));
  }

  /**
   * Returns if {@code spec} fits into the memory of {@code device}.
   *
   * @throws OutOfDeviceMemoryException if not; the message says which batch would
   */
  static void requireRoom(Device device, RbmSpec spec) {
    MemoryAdvice.requireRoom(
        device, spec.batch(), batch -> forecast(device, spec.withBatch(batch)).neededBytes(spec.withBatch(batch)));
  }

  /** The same with kernels that can run. */
  RbmPlans prepared(Device device, Consumer<Preparation> progress) {
    Consumer<Op> next = Preparation.counted(Preparation.Stage.CHOOSING, all(), progress);
    return new RbmPlans(
        graphs, layout, learn.prepared(device, next), judge.prepared(device, next), measure.prepared(device, next));
  }

  List<Plan> all() {
    return List.of(learn, judge, measure);
  }

  /** Of the arena that the programs share. */
  long arenaBytes() {
    return all().stream().mapToLong(Plan::arenaBytes).max().orElseThrow();
  }

  /** What they take together with the batches that are prepared ahead. */
  private long neededBytes(RbmSpec spec) {
    return layout.bytes()
        + arenaBytes()
        + all().stream().mapToLong(Plan::ownBytes).sum()
        + spec.example().bytes() * spec.batch() * DeepBeliefNet.SLOTS;
  }
}
