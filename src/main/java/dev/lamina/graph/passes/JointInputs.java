package dev.lamina.graph.passes;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Node;
import dev.lamina.graph.Tensor;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;

/** The inputs of several nodes that become one: each tensor once, in the order in which it was first asked for. */
final class JointInputs {
  private final List<Tensor> tensors = new ArrayList<>();

  /** How expressions of the one node read {@code tensor}. */
  Expr place(Tensor tensor) {
    int at = tensors.indexOf(tensor);
    if (at < 0) {
      at = tensors.size();
      tensors.add(tensor);
    }
    return Exprs.input(at);
  }

  /** How they read each input of {@code node}: for its own expressions. */
  List<Expr> places(Node node) {
    return node.inputs().stream().map(this::place).toList();
  }

  List<Tensor> tensors() {
    return List.copyOf(tensors);
  }

  List<TensorType> types() {
    return tensors.stream().map(Tensor::type).toList();
  }
}
