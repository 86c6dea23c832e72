package dev.lamina.graph.passes;

import dev.lamina.graph.Graph;

/** The passes, in their order. Each takes a graph and returns one that computes the same. */
public final class Passes {
  private Passes() {}

  /**
   * {@code graph} made cheaper for a device, without changing what it computes beyond the rounding of values that are
   * no longer stored.
   */
  public static Graph optimise(Graph graph, Support support) {
    Graph result = DeadCode.apply(graph);
    result = CommonSubexpressions.apply(result);
    // Chains become single expressions first, so that a whole chain can be repeated, and is then joined with what reads
    // it.
    result = MapFusion.apply(result, support);
    result = MapFusion.apply(Recomputation.apply(result), support);
    result = AnchorFusion.apply(result, support);
    return DeadCode.apply(result);
  }
}
