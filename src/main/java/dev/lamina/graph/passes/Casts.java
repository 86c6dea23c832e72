package dev.lamina.graph.passes;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Node;
import dev.lamina.graph.Node.Phase;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Casts once what mixed precision casts tensor by tensor, with the same bits:
 *
 * <ul>
 *   <li>weights that lie in one packed variable are cast together, and each is a view of the result;
 *   <li>gradients that are widened and packed are packed as they are, and the pack is widened;
 *   <li>an expression that reads a widened value reads the narrow one: it computes in the wider type anyway.
 * </ul>
 */
final class Casts {
  private Casts() {}

  /** {@code packs} are the packed variables that the members which {@code graph} reads may lie in. */
  static Graph apply(Graph graph, Collection<Variable> packs) {
    return narrowReads(widenPacks(castPacks(graph, packs)));
  }

  /** A cast of a whole pack. */
  private record Target(Variable pack, DType dtype) {}

  /** Casting a pack has to be worth it: more than one member, and at least half of its elements. */
  private static Graph castPacks(Graph graph, Collection<Variable> packs) {
    Map<Node, Target> casts = new LinkedHashMap<>();
    Map<Target, List<Variable>> members = new HashMap<>();
    for (Node node : graph.nodes()) {
      if (isCast(node) && node.inputs().getFirst().node().op() instanceof Op.Read(Variable variable)) {
        packs.stream()
            .filter(pack -> pack.members().contains(variable))
            .findFirst()
            .ifPresent(pack -> {
              Target target = new Target(pack, node.types().getFirst().dtype());
              casts.put(node, target);
              members.computeIfAbsent(target, _ -> new ArrayList<>()).add(variable);
            });
      }
    }
    members.values().removeIf(all -> all.size() < 2);
    members.entrySet().removeIf(entry -> 2 * elements(entry.getValue()) < entry.getKey().pack.type().shape().size());
    Rewrite rewrite = new Rewrite(graph);
    Map<Target, Tensor> whole = new HashMap<>();
    for (Node node : graph.nodes()) {
      Target target = casts.get(node);
      if (target == null || !members.containsKey(target)) {
        rewrite.copy(node);
        continue;
      }
      Tensor all = whole.computeIfAbsent(target, t -> castOf(t, rewrite));
      int start = Math.toIntExact(offset(target.pack, ((Op.Read) node.inputs().getFirst().node().op()).variable()));
      Shape shape = node.types().getFirst().shape();
      Op slice = new Op.Slice(0, start, start + Math.toIntExact(shape.size()));
      rewrite.put(node, rewrite.add(node, new Op.Reshape(shape), rewrite.add(node, slice, List.of(all))));
    }
    return rewrite.finish();
  }

  private static Tensor castOf(Target target, Rewrite rewrite) {
    List<Tensor> weights = rewrite.add("", Phase.FORWARD, new Op.Read(target.pack), List.of());
    Op cast = new Op.Map(Exprs.input(0), target.dtype, target.pack.type().shape());
    return rewrite.add("", Phase.FORWARD, cast, weights).getFirst();
  }

  private static long elements(List<Variable> variables) {
    return variables.stream().mapToLong(variable -> variable.type().shape().size()).sum();
  }

  private static long offset(Variable pack, Variable member) {
    return pack.memberOffset(pack.members().indexOf(member));
  }

  private static Graph widenPacks(Graph graph) {
    Rewrite rewrite = new Rewrite(graph);
    for (Node node : graph.nodes()) {
      Optional<DType> narrow = node.op() instanceof Op.Pack ? commonSource(node) : Optional.empty();
      if (narrow.isEmpty()) {
        rewrite.copy(node);
        continue;
      }
      List<Tensor> parts = node.inputs().stream().map(part -> rewrite.of(part.node().inputs().getFirst())).toList();
      TensorType type = node.types().getFirst();
      Op widen = new Op.Map(Exprs.input(0), type.dtype(), type.shape());
      rewrite.put(node, rewrite.add(node, widen, rewrite.add(node, node.op(), parts)));
    }
    return rewrite.finish();
  }

  /** The type that all parts of a pack are widened from, if it is one. */
  private static Optional<DType> commonSource(Node pack) {
    List<Optional<DType>> sources =
        pack.inputs().stream()
            .map(part -> isWidening(part.node()) ? Optional.of(sourceType(part.node())) : Optional.<DType>empty())
            .distinct()
            .toList();
    return sources.size() == 1 ? sources.getFirst() : Optional.empty();
  }

  private static Graph narrowReads(Graph graph) {
    Rewrite rewrite = new Rewrite(graph);
    for (Node node : graph.nodes()) {
      List<Tensor> inputs = node.inputs();
      if (node.op() instanceof Op.Map || node.op() instanceof Op.Reduce) {
        inputs =
            inputs.stream().map(input -> isWidening(input.node()) ? input.node().inputs().getFirst() : input).toList();
      }
      rewrite.put(node, rewrite.add(node, node.op(), rewrite.of(inputs)));
    }
    return rewrite.finish();
  }

  private static DType sourceType(Node cast) {
    return cast.inputTypes().getFirst().dtype();
  }

  /** Whether it only changes the type of a tensor. */
  private static boolean isCast(Node node) {
    return node.op() instanceof Op.Map map
        && map.exprs().equals(List.of(new Expr.Input(0)))
        && node.inputs().size() == 1
        && node.inputTypes().getFirst().shape().equals(map.shape())
        && sourceType(node) != map.dtypes().getFirst();
  }

  /** Whether it is a cast from 16 to 32 bits: the value stays what it is. */
  private static boolean isWidening(Node node) {
    return isCast(node)
        && node.types().getFirst().dtype() == DType.F32
        && (sourceType(node) == DType.BF16 || sourceType(node) == DType.F16);
  }
}
