package dev.lamina.graph.passes;

import dev.lamina.graph.Graph;
import dev.lamina.graph.Node;
import dev.lamina.graph.Node.Phase;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A new graph that grows from an old one: remembers what became of each tensor. */
final class Rewrite {
  private final Graph source;
  private final Graph target = new Graph();
  private final Map<Tensor, Tensor> replaced = new HashMap<>();

  Rewrite(Graph source) {
    this.source = source;
  }

  /** What became of {@code tensor}, which must have been handled already. */
  Tensor of(Tensor tensor) {
    Tensor now = replaced.get(tensor);
    if (now == null) {
      throw new IllegalStateException(tensor + " was not rewritten before it is used");
    }
    return now;
  }

  List<Tensor> of(List<Tensor> tensors) {
    return tensors.stream().map(this::of).toList();
  }

  boolean knows(Node node) {
    return node.types().isEmpty() || replaced.containsKey(output(node, 0));
  }

  /** Takes {@code node} over as it is. */
  void copy(Node node) {
    put(node, add(node, node.op(), of(node.inputs())));
  }

  /** Takes {@code node} over with all it is computed from, unless they are there. */
  void copyWithInputs(Node node) {
    if (!knows(node)) {
      node.inputs().forEach(input -> copyWithInputs(input.node()));
      copy(node);
    }
  }

  /** Adds {@code op} to the new graph in the name of {@code node}: for its layer and phase. */
  List<Tensor> add(Node node, Op op, List<Tensor> inputs) {
    return add(node.layer(), node.phase(), op, inputs);
  }

  /** Adds {@code op} for several nodes: in the name of no single layer. */
  List<Tensor> add(String layer, Phase phase, Op op, List<Tensor> inputs) {
    List<Tensor> results = new ArrayList<>();
    target.within(layer, phase, () -> results.addAll(target.add(op, inputs)));
    return results;
  }

  /** {@code now} stands for the outputs of {@code node}. */
  void put(Node node, List<Tensor> now) {
    for (int i = 0; i < node.types().size(); i++) {
      put(output(node, i), now.get(i));
    }
  }

  /** {@code now} stands for {@code tensor}. */
  void put(Tensor tensor, Tensor now) {
    replaced.put(tensor, now);
  }

  Tensor output(Node node, int index) {
    return source.tensor(node, index);
  }

  /** Ends with the results and assigns of the source. */
  Graph finish() {
    source.outputs().forEach((name, tensor) -> target.output(name, of(tensor)));
    source.assigns().forEach((variable, tensor) -> target.assign(variable, of(tensor)));
    return target;
  }
}
