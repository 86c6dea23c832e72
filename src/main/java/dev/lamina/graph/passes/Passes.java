package dev.lamina.graph.passes;

import dev.lamina.graph.Graph;
import dev.lamina.graph.Variable;
import java.util.Collection;

/** The passes, in their order. Each takes a graph and returns one that computes the same. */
public final class Passes {
  private Passes() {}

  /**
   * {@code graph} made cheaper for a device, without changing what it computes beyond the rounding of values that are
   * no longer stored.
   *
   * @param packs packed variables that hold others which the graph reads
   */
  public static Graph optimise(Graph graph, Support support, Collection<Variable> packs) {
    Graph result = DeadCode.apply(graph);
    result = CommonSubexpressions.apply(Constants.apply(result));
    result = DeadCode.apply(Casts.apply(result, packs));
    result = CrossEntropyFusion.apply(PoolFirst.apply(result, support), support);
    // Chains become single expressions first, so that a whole chain can be repeated, and is then joined with what reads
    // it.
    result = MapFusion.apply(result, support);
    result = MapFusion.apply(Recomputation.apply(result), support);
    result = DeadCode.apply(AnchorFusion.apply(result, support));
    return EarlyReductions.apply(SiblingMaps.apply(OnePass.apply(result, support), support));
  }
}
