package dev.lamina.graph.passes;

import dev.lamina.graph.Expr;
import dev.lamina.graph.ExprRewriter;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Node;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Joins expressions over the same shape into one, so that what travels between them stays in registers: an expression
 * into the map or reduction that reads it, and two maps of one phase of which one reads the other into a map with
 * several outputs (an optimizer's new slots and new weights).
 *
 * <p>A value that travels as a float of 16 bits is no longer rounded where it stays in a register. Values that become
 * integers on their way (bytes, labels) are not joined: that is more than rounding.
 */
final class MapFusion {
  private MapFusion() {}

  static Graph apply(Graph graph, Support support) {
    Graph current = graph;
    while (true) {
      Optional<Graph> next = joinOnePerReader(current, support);
      if (next.isEmpty()) {
        return current;
      }
      current = DeadCode.apply(next.get());
    }
  }

  /**
   * One round: each reader takes in at most one producer, and takes part in one join only. Empty if there was nothing
   * to join.
   *
   * <p>Two joins in which the producer stays could each be without a cycle and close one together: if each reads a
   * value of the other. So the ranges from producer to reader never overlap in one round; then all that leads from one
   * to the other leads the same way.
   */
  private static Optional<Graph> joinOnePerReader(Graph graph, Support support) {
    Uses uses = new Uses(graph);
    List<Join> joins = new ArrayList<>();
    Set<Node> busy = new HashSet<>();
    int lastStaying = -1;
    for (Node reader : graph.nodes()) {
      for (Tensor input : reader.inputs()) {
        Node producer = input.node();
        if (busy.contains(reader) || busy.contains(producer)) {
          continue;
        }
        Optional<Join> join = Join.of(graph, producer, reader, uses);
        if (join.isEmpty() || (join.get().producerStays() && producer.id() <= lastStaying)) {
          continue;
        }
        if (support.runs(join.get().op(), types(join.get().inputs()))) {
          joins.add(join.get());
          busy.add(reader);
          busy.add(producer);
          if (join.get().producerStays()) {
            lastStaying = reader.id();
          }
        }
      }
    }
    return joins.isEmpty() ? Optional.empty() : Optional.of(rebuild(graph, joins));
  }

  private static List<TensorType> types(List<Tensor> tensors) {
    return tensors.stream().map(Tensor::type).toList();
  }

  private static Graph rebuild(Graph graph, List<Join> joins) {
    Map<Node, Join> joinOf = new HashMap<>();
    for (Join join : joins) {
      joinOf.put(join.producer, join);
      joinOf.put(join.reader, join);
    }
    Rewrite rewrite = new Rewrite(graph);
    for (Node node : graph.nodes()) {
      emit(node, joinOf, rewrite);
    }
    return rewrite.finish();
  }

  /** Adds {@code node} after its inputs. A producer that is joined appears with its reader. */
  private static void emit(Node node, Map<Node, Join> joinOf, Rewrite rewrite) {
    if (rewrite.knows(node)) {
      return;
    }
    Join join = joinOf.get(node);
    if (join == null) {
      node.inputs().forEach(input -> emit(input.node(), joinOf, rewrite));
      rewrite.copy(node);
    } else if (join.producerStays() || join.reader == node) {
      join.inputs().forEach(input -> emit(input.node(), joinOf, rewrite));
      List<Tensor> results = rewrite.add(join.reader, join.op(), rewrite.of(join.inputs()));
      int own = join.reader.types().size();
      rewrite.put(join.reader, results.subList(0, own));
      if (join.producerStays()) {
        rewrite.put(join.producer, results.subList(own, results.size()));
      }
    }
  }

  /**
   * A producer taken into its reader.
   *
   * @param op the reader with the producer's expression in it; its outputs are the reader's, then those of a producer
   *     that stays
   * @param producerStays whether something else reads the producer too
   */
  private record Join(Node producer, Node reader, Op op, List<Tensor> inputs, boolean producerStays) {

    static Optional<Join> of(Graph graph, Node producer, Node reader, Uses uses) {
      if (!(producer.op() instanceof Op.Map first) || !exact(first, producer)) {
        return Optional.empty();
      }
      boolean stays =
          uses.readers(producer).stream().anyMatch(r -> r != reader)
              || java.util.stream.IntStream.range(0, producer.types().size())
                  .anyMatch(i -> uses.isResult(graph.tensor(producer, i)));
      return switch (reader.op()) {
        case Op.Map second when first.shape().equals(second.shape()) && precision(producer) == precision(reader) -> {
          if (stays && (producer.phase() != reader.phase() || leadsAround(producer, reader, uses))) {
            yield Optional.empty();
          }
          Wiring wiring = new Wiring(producer, first, reader);
          List<Expr> exprs = new ArrayList<>(second.exprs().stream().map(wiring::inReader).toList());
          List<DType> dtypes = new ArrayList<>(second.dtypes());
          if (stays) {
            exprs.addAll(first.exprs().stream().map(wiring::inProducer).toList());
            dtypes.addAll(first.dtypes());
          }
          yield Optional.of(
              new Join(producer, reader, new Op.Map(exprs, dtypes, second.shape()), wiring.inputs.tensors(), stays));
        }
        case Op.Reduce second
            when !stays && first.shape().equals(second.shape()) && precision(producer) == precision(reader) -> {
          Wiring wiring = new Wiring(producer, first, reader);
          Op op =
              new Op.Reduce(
                  second.kind(), wiring.inReader(second.value()), second.dtype(), second.shape(), second.axes());
          yield Optional.of(new Join(producer, reader, op, wiring.inputs.tensors(), false));
        }
        default -> Optional.empty();
      };
    }

    /** Whether a value is the same stored and reloaded as kept in a register, but for its rounding to 16 bits. */
    private static boolean exact(Op.Map map, Node node) {
      DType precision = precision(node);
      return map.dtypes().stream().allMatch(dtype -> dtype == precision || dtype == DType.BF16 || dtype == DType.F16);
    }

    private static DType precision(Node node) {
      List<DType> in = node.inputTypes().stream().map(TensorType::dtype).toList();
      List<DType> out =
          node.op() instanceof Op.Reduce ? List.of() : node.types().stream().map(TensorType::dtype).toList();
      return Expr.precision(in, out);
    }

    /** Whether {@code reader} needs {@code producer} by way of a third node: joining them would be a cycle. */
    private static boolean leadsAround(Node producer, Node reader, Uses uses) {
      Set<Node> below = new HashSet<>();
      List<Node> open = new ArrayList<>(uses.readers(producer).stream().filter(r -> r != reader).toList());
      while (!open.isEmpty()) {
        Node node = open.removeLast();
        if (node == reader) {
          return true;
        }
        if (node.id() < reader.id() && below.add(node)) {
          open.addAll(uses.readers(node));
        }
      }
      return false;
    }
  }

  /** The inputs of two nodes as one list, and each node's expressions over it. */
  private static final class Wiring {
    private final JointInputs inputs = new JointInputs();
    private final List<Expr> readerPlaces = new ArrayList<>();
    private final List<Expr> producerPlaces;

    Wiring(Node producer, Op.Map first, Node reader) {
      producerPlaces = inputs.places(producer);
      for (Tensor input : reader.inputs()) {
        readerPlaces.add(
            input.node() == producer
                ? ExprRewriter.substitute(first.exprs().get(input.index()), producerPlaces)
                : inputs.place(input));
      }
    }

    Expr inReader(Expr expr) {
      return ExprRewriter.substitute(expr, readerPlaces);
    }

    Expr inProducer(Expr expr) {
      return ExprRewriter.substitute(expr, producerPlaces);
    }
  }
}
