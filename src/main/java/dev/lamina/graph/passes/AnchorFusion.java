package dev.lamina.graph.passes;

import dev.lamina.graph.Expr;
import dev.lamina.graph.ExprRewriter;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Node;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Lets a map ride on the operation whose result it alone reads (epilogue), or that alone reads its result (prologue),
 * where the device can run that as one kernel.
 */
final class AnchorFusion {
  private AnchorFusion() {}

  static Graph apply(Graph graph, Support support) {
    return prologues(epilogues(graph, support), support);
  }

  private static Graph epilogues(Graph graph, Support support) {
    Uses uses = new Uses(graph);
    Map<Node, Node> riders = new HashMap<>();
    Map<Node, Ride> rides = new HashMap<>();
    for (Node node : graph.nodes()) {
      for (Tensor input : node.inputs()) {
        if (!riders.containsKey(node) && !rides.containsKey(input.node())) {
          Optional<Ride> ride = epilogue(input, node, uses).filter(r -> support.runs(r.op, types(r.inputs)));
          ride.ifPresent(r -> {
            riders.put(node, input.node());
            rides.put(input.node(), r);
          });
        }
      }
    }
    Rewrite rewrite = new Rewrite(graph);
    for (Node node : graph.nodes()) {
      emit(node, rides, riders, rewrite);
    }
    return rewrite.finish();
  }

  /**
   * An anchor with a rider appears where the rider stood: by then the rider's other inputs are there. Its other outputs
   * are read later than that.
   */
  private static void emit(Node node, Map<Node, Ride> rides, Map<Node, Node> riders, Rewrite rewrite) {
    if (rewrite.knows(node)) {
      return;
    }
    Node anchor = rides.containsKey(node) ? node : riders.get(node);
    if (anchor == null) {
      node.inputs().forEach(input -> emit(input.node(), rides, riders, rewrite));
      rewrite.copy(node);
      return;
    }
    Ride ride = rides.get(anchor);
    ride.inputs.forEach(input -> emit(input.node(), rides, riders, rewrite));
    List<Tensor> results = rewrite.add(anchor, ride.op, rewrite.of(ride.inputs));
    rewrite.put(anchor, results);
    rewrite.put(ride.rider, results.subList(0, 1));
  }

  private static Graph prologues(Graph graph, Support support) {
    Uses uses = new Uses(graph);
    Rewrite rewrite = new Rewrite(graph);
    for (Node node : graph.nodes()) {
      Optional<Ride> ride = Optional.empty();
      for (int i = 0; i < node.inputs().size() && ride.isEmpty(); i++) {
        ride = prologue(node, i, uses).filter(r -> support.runs(r.op, types(r.inputs)));
      }
      if (ride.isPresent()) {
        rewrite.put(node, rewrite.add(node, ride.get().op, rewrite.of(ride.get().inputs)));
      } else {
        rewrite.copy(node);
      }
    }
    return rewrite.finish();
  }

  /** A fused operation, its inputs, and the map that rides on it. */
  private record Ride(Op.Fused op, List<Tensor> inputs, Node rider) {}

  private static Optional<Ride> epilogue(Tensor value, Node rider, Uses uses) {
    Node anchor = value.node();
    if (value.index() != 0
        || !canCarry(anchor.op())
        || !uses.onlyReaderIs(value, rider)
        || !(rider.op() instanceof Op.Map map)
        || !rides(map, value.type())) {
      return Optional.empty();
    }
    List<Tensor> inputs = new ArrayList<>(anchor.inputs());
    for (Tensor input : rider.inputs()) {
      if (!input.equals(value) && (!fits(input, value.shape()) || Uses.dependsOn(input.node(), anchor))) {
        return Optional.empty();
      }
      if (!input.equals(value) && !inputs.contains(input)) {
        inputs.add(input);
      }
    }
    List<Expr> places =
        rider.inputs().stream()
            .map(input -> Exprs.input(input.equals(value) ? inputs.size() : inputs.indexOf(input)))
            .toList();
    Expr epilogue = ExprRewriter.substitute(map.exprs().getFirst(), places);
    int extras = inputs.size() - anchor.inputs().size();
    return Optional.of(new Ride(new Op.Fused(anchor.op(), -1, null, epilogue, extras), inputs, rider));
  }

  private static Optional<Ride> prologue(Node node, int index, Uses uses) {
    Op.Fused carried = node.op() instanceof Op.Fused fused ? fused : new Op.Fused(node.op(), -1, null, null, 0);
    int own = node.inputs().size() - carried.extras();
    Tensor value = node.inputs().get(index);
    Node rider = value.node();
    if (index >= own
        || !canCarry(carried.anchor())
        || carried.prologue() != null
        || !uses.onlyReaderIs(value, node)
        || node.inputs().stream().filter(value::equals).count() != 1
        || !(rider.op() instanceof Op.Map map)
        || !rides(map, value.type())
        || !rider.inputs().stream().allMatch(input -> fits(input, value.shape()))) {
      return Optional.empty();
    }
    Optional<Tensor> subject = rider.inputs().stream().filter(input -> input.type().equals(value.type())).findFirst();
    if (subject.isEmpty()) {
      return Optional.empty();
    }
    List<Tensor> inputs = new ArrayList<>(node.inputs());
    inputs.set(index, subject.get());
    for (Tensor input : rider.inputs()) {
      if (!inputs.contains(input)) {
        inputs.add(input);
      }
    }
    List<Expr> places =
        rider.inputs().stream()
            .map(input -> Exprs.input(input.equals(subject.get()) ? index : inputs.indexOf(input)))
            .toList();
    Expr prologue = ExprRewriter.substitute(map.exprs().getFirst(), places);
    Expr epilogue =
        carried.epilogue() == null ? null : moveSubject(carried.epilogue(), node.inputs().size(), inputs.size());
    Op.Fused op = new Op.Fused(carried.anchor(), index, prologue, epilogue, inputs.size() - own);
    return Optional.of(new Ride(op, inputs, rider));
  }

  /** An epilogue reads the anchor's value behind all inputs; there are more of them now. */
  private static Expr moveSubject(Expr epilogue, int from, int to) {
    List<Expr> places = new ArrayList<>();
    for (int i = 0; i <= from; i++) {
      places.add(Exprs.input(i == from ? to : i));
    }
    return ExprRewriter.substitute(epilogue, places);
  }

  private static boolean canCarry(Op op) {
    return switch (op) {
      case Op.MatMul _,
          Op.Conv2d _,
          Op.Conv2dInputGradient _,
          Op.Conv2dFilterGradient _,
          Op.Pool2d _,
          Op.Pool2dGradient _,
          Op.BatchNorm _,
          Op.BatchNormGradient _ ->
          true;
      case Op.Input _,
          Op.Read _,
          Op.Map _,
          Op.Reduce _,
          Op.ReduceWithMap _,
          Op.Reshape _,
          Op.SoftmaxCrossEntropy _,
          Op.SoftmaxCrossEntropyGradient _,
          Op.SoftmaxCrossEntropyWithGradient _,
          Op.Permute _,
          Op.Slice _,
          Op.Concat _,
          Op.Pad _,
          Op.ArgMax _,
          Op.Histogram _,
          Op.Pack _,
          Op.Fused _ ->
          false;
    };
  }

  /**
   * One output of the type it is computed from; nothing that asks where an element lies, which only a walk over the
   * whole shape knows.
   */
  private static boolean rides(Op.Map map, TensorType subject) {
    return map.exprs().size() == 1
        && map.shape().equals(subject.shape())
        && map.dtypes().getFirst() == subject.dtype()
        && !ExprRewriter.dependsOnPosition(map.exprs().getFirst());
  }

  /** As the subject, one value a channel, or one value. */
  private static boolean fits(Tensor input, Shape subject) {
    Shape shape = input.shape();
    return shape.equals(subject) || shape.size() == 1 || shape.equals(Shape.of(subject.last()));
  }

  private static List<TensorType> types(List<Tensor> tensors) {
    return tensors.stream().map(Tensor::type).toList();
  }
}
