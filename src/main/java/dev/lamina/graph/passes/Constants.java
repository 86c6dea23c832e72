package dev.lamina.graph.passes;

import dev.lamina.graph.Expr;
import dev.lamina.graph.ExprRewriter;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Node;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Rounding;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/**
 * Writes constants into the expressions that read them, whatever shape they were given on their way. What is left of a
 * product with 1 is no work, and gone.
 */
final class Constants {
  private Constants() {}

  static Graph apply(Graph graph) {
    Uses uses = new Uses(graph);
    Rewrite rewrite = new Rewrite(graph);
    for (Node node : graph.nodes()) {
      if (!(node.op() instanceof Op.Map map) || node.inputs().stream().noneMatch(input -> value(input).isPresent())) {
        rewrite.copy(node);
        continue;
      }
      List<Tensor> inputs = new ArrayList<>();
      List<Expr> places = new ArrayList<>();
      for (Tensor input : node.inputs()) {
        OptionalDouble value = value(input);
        if (value.isPresent()) {
          places.add(Exprs.constant(value.getAsDouble()));
        } else {
          places.add(Exprs.input(inputs.size()));
          inputs.add(input);
        }
      }
      List<Expr> exprs = map.exprs().stream().map(expr -> ExprRewriter.substitute(expr, places)).toList();
      if (exprs.size() == 1
          && exprs.getFirst() instanceof Expr.Input(int index)
          && inputs.get(index).type().equals(node.types().getFirst())
          && !uses.isResult(graph.tensor(node, 0))) {
        rewrite.put(node, rewrite.of(inputs.subList(index, index + 1)));
        continue;
      }
      rewrite.put(node, rewrite.add(node, new Op.Map(exprs, map.dtypes(), map.shape()), rewrite.of(inputs)));
    }
    return rewrite.finish();
  }

  /** The one value that a tensor of floats, of 32 or 16 bits, has everywhere, if the graph says so. */
  private static OptionalDouble value(Tensor tensor) {
    Tensor base = tensor;
    while (base.node().op() instanceof Op.Reshape) {
      base = base.node().inputs().getFirst();
    }
    // A double would change what the reader computes in, and whole numbers are no floats.
    DType dtype = base.dtype();
    if (!dtype.isFloating() || dtype == DType.F64 || !(base.node().op() instanceof Op.Map map)) {
      return OptionalDouble.empty();
    }
    OptionalDouble value =
        switch (map.exprs().get(base.index())) {
          case Expr.Constant(double constant) -> OptionalDouble.of(constant);
          case Expr.Input(int index) -> value(base.node().inputs().get(index)); // repeated to another shape
          default -> OptionalDouble.empty();
        };
    return value.isPresent() ? OptionalDouble.of(Rounding.to(dtype, value.getAsDouble())) : value;
  }
}
