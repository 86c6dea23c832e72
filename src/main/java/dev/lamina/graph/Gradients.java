package dev.lamina.graph;

import static dev.lamina.graph.Exprs.constant;
import static dev.lamina.graph.Exprs.input;
import static dev.lamina.graph.Exprs.select;

import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Node.Phase;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Reverse-mode differentiation: adds to a graph the nodes that compute the gradients of a scalar. The only place that
 * knows derivatives of operations; those of expressions are in {@link Derivative}.
 */
public final class Gradients {
  private final Graph graph;
  private final Set<Node> needed = new HashSet<>();
  private final Map<Tensor, List<Tensor>> contributions = new HashMap<>();
  private final Map<Tensor, List<SliceGradients.Part>> slices = new HashMap<>();

  private Gradients(Graph graph) {
    this.graph = graph;
  }

  /**
   * The gradients of {@code loss}, a scalar, with respect to {@code parameters}, in their order and of their types. A
   * parameter the loss does not depend on gets zeros.
   *
   * @throws IllegalArgumentException if the loss is not a floating-point scalar, or an operation on the way has no
   *     derivative
   */
  public static List<Tensor> of(Tensor loss, List<Tensor> parameters) {
    if (!loss.shape().equals(Shape.scalar()) || !loss.dtype().isFloating()) {
      throw new IllegalArgumentException("gradients: the loss must be a floating-point scalar, got " + loss.type());
    }
    Gradients gradients = new Gradients(loss.graph());
    return gradients.compute(loss, parameters);
  }

  private List<Tensor> compute(Tensor loss, List<Tensor> parameters) {
    List<Node> nodes = List.copyOf(graph.nodes());
    parameters.forEach(parameter -> needed.add(parameter.node()));
    for (Node node : nodes) {
      boolean detached = node.op() instanceof Op.Reshape(Shape _, boolean cut) && cut;
      if (!detached && node.inputs().stream().anyMatch(in -> in.dtype().isFloating() && needed.contains(in.node()))) {
        needed.add(node);
      }
    }
    graph.within("", Phase.BACKWARD, () -> contribute(loss, graph.constant(loss.type(), 1)));
    for (Node node : nodes.reversed()) {
      if (needed.contains(node) && !node.inputs().isEmpty()) {
        graph.within(node.layer(), Phase.BACKWARD, () -> differentiate(node));
      }
    }
    List<Tensor> results = new ArrayList<>();
    graph.within(
        "",
        Phase.BACKWARD,
        () -> {
          for (Tensor parameter : parameters) {
            Tensor gradient = gradientOf(parameter);
            results.add(gradient == null ? graph.constant(parameter.type(), 0) : gradient);
          }
        });
    return results;
  }

  private void contribute(Tensor tensor, Tensor gradient) {
    if (needed.contains(tensor.node())) {
      contributions.computeIfAbsent(tensor, _ -> new ArrayList<>()).add(gradient);
    }
  }

  /** The sum of all contributions to a tensor's gradient, or null if there are none. */
  private Tensor gradientOf(Tensor tensor) {
    List<Tensor> parts = contributions.getOrDefault(tensor, new ArrayList<>());
    parts.addAll(SliceGradients.of(tensor, slices.getOrDefault(tensor, List.of())));
    slices.remove(tensor);
    if (parts.isEmpty()) {
      return null;
    }
    Tensor sum = parts.getFirst();
    for (Tensor part : parts.subList(1, parts.size())) {
      sum = sum.plus(part);
    }
    contributions.put(tensor, new ArrayList<>(List.of(sum)));
    return sum;
  }

  private void differentiate(Node node) {
    List<Tensor> outputs = IntStream.range(0, node.types().size()).mapToObj(i -> new Tensor(graph, node, i)).toList();
    List<Tensor> gradients = new ArrayList<>();
    outputs.forEach(output -> gradients.add(gradientOf(output)));
    if (gradients.stream().allMatch(gradient -> gradient == null)) {
      return;
    }
    Tensor dy = gradients.getFirst();
    Tensor y = outputs.getFirst();
    List<Tensor> in = node.inputs();
    switch (node.op()) {
      case Op.Input _, Op.Read _ -> throw new IllegalStateException("sources have no inputs");
      case Op.Map map -> {
        for (int output = 0; output < map.exprs().size(); output++) {
          if (gradients.get(output) != null) {
            differentiateExpr(map.exprs().get(output), map.shape(), in, gradients.get(output), outputs.get(output));
          }
        }
      }
      case Op.Reduce reduce -> differentiateReduce(reduce, in, dy, y);
      case Op.Reshape _ -> contribute(in.getFirst(), dy.reshape(in.getFirst().shape()));
      case Op.MatMul matMul -> differentiateMatMul(matMul, in.get(0), in.get(1), dy);
      case Op.Conv2d(ConvSpec spec) -> {
        Tensor image = in.get(0);
        Tensor filter = in.get(1);
        if (needed.contains(image.node())) {
          contribute(image, graph.one(new Op.Conv2dInputGradient(spec, image.shape()), dy, filter));
        }
        if (needed.contains(filter.node())) {
          contribute(filter, graph.one(new Op.Conv2dFilterGradient(spec, filter.shape()), image, dy));
        }
      }
      case Op.Pool2d(Op.PoolKind kind, PoolSpec spec) -> {
        List<Tensor> inputs = kind == Op.PoolKind.MAX ? List.of(dy, outputs.get(1)) : List.of(dy);
        contribute(
            in.getFirst(), graph.add(new Op.Pool2dGradient(kind, spec, in.getFirst().shape()), inputs).getFirst());
      }
      case Op.BatchNorm _ -> {
        if (dy == null || gradients.subList(1, 4).stream().anyMatch(gradient -> gradient != null)) {
          throw notDifferentiable(node, "only its first output, the normalised tensor, can be part of a loss");
        }
        List<Tensor> results =
            graph.add(new Op.BatchNormGradient(), List.of(in.get(0), in.get(1), outputs.get(1), outputs.get(3), dy));
        for (int i = 0; i < 3; i++) {
          contribute(in.get(i), results.get(i));
        }
      }
      case Op.SoftmaxCrossEntropy(double smoothing) -> {
        if (needed.contains(in.get(1).node())) {
          throw notDifferentiable(node, "its target cannot depend on parameters");
        }
        contribute(in.get(0), graph.one(new Op.SoftmaxCrossEntropyGradient(smoothing), in.get(0), in.get(1), dy));
      }
      case Op.Permute(List<Integer> axes) -> {
        Integer[] inverse = new Integer[axes.size()];
        for (int i = 0; i < inverse.length; i++) {
          inverse[axes.get(i)] = i;
        }
        contribute(in.getFirst(), dy.permute(inverse));
      }
      case Op.Slice(int axis, int start, int _) ->
          slices.computeIfAbsent(in.getFirst(), _ -> new ArrayList<>()).add(new SliceGradients.Part(axis, start, dy));
      case Op.Pad(int axis, int before, int _) ->
          contribute(in.getFirst(), dy.slice(axis, before, before + in.getFirst().shape().dim(axis)));
      case Op.Concat(int axis) -> {
        int start = 0;
        for (Tensor part : in) {
          int stop = start + part.shape().dim(axis);
          if (needed.contains(part.node())) {
            contribute(part, dy.slice(axis, start, stop));
          }
          start = stop;
        }
      }
      case Op.ReduceWithMap _,
          Op.Conv2dInputGradient _,
          Op.Conv2dFilterGradient _,
          Op.Pool2dGradient _,
          Op.BatchNormGradient _,
          Op.SoftmaxCrossEntropyGradient _,
          Op.SoftmaxCrossEntropyWithGradient _,
          Op.ArgMax _,
          Op.Histogram _,
          Op.Pack _,
          Op.Fused _ ->
          throw notDifferentiable(node, "it has no derivative here");
    }
  }

  /**
   * Contributions of one expression over {@code shape}: summed over the dimensions along which an input was repeated.
   *
   * @param y the expression's values, or null if they were not kept
   */
  private void differentiateExpr(Expr expr, Shape shape, List<Tensor> in, Tensor dy, Tensor y) {
    int upstream = in.size();
    List<Tensor> available = new ArrayList<>(in);
    available.add(dy);
    if (y != null) {
      available.add(y);
    }
    for (int i = 0; i < in.size(); i++) {
      Tensor argument = in.get(i);
      if (!argument.dtype().isFloating() || !needed.contains(argument.node())) {
        continue;
      }
      Optional<Expr> derivative = Derivative.of(expr, i, input(upstream));
      if (derivative.isPresent()) {
        Expr slope = derivative.get();
        contribute(argument, evaluate(y == null ? slope : cheaper(slope, expr, shape, in), shape, available, argument));
      }
    }
  }

  /**
   * The slope in terms of the output, read behind the upstream gradient, if that spares keeping all full-sized
   * arguments.
   */
  private static Expr cheaper(Expr slope, Expr expr, Shape shape, List<Tensor> in) {
    Expr viaOutput = Derivative.inTermsOfOutput(slope, expr, in.size() + 1);
    boolean argumentsVanish =
        IntStream.range(0, in.size())
            .noneMatch(i -> in.get(i).shape().equals(shape) && ExprRewriter.reads(viaOutput, i));
    return argumentsVanish ? viaOutput : slope;
  }

  private Tensor evaluate(Expr expr, Shape shape, List<Tensor> available, Tensor argument) {
    List<Tensor> used = new ArrayList<>();
    List<Expr> places = new ArrayList<>();
    for (int i = 0; i < available.size(); i++) {
      boolean reads = ExprRewriter.reads(expr, i);
      places.add(input(reads ? used.size() : -1));
      if (reads) {
        used.add(available.get(i));
      }
    }
    Expr compact = ExprRewriter.substitute(expr, places);
    if (argument.shape().equals(shape)) {
      boolean same = compact.equals(input(0)) && used.getFirst().type().equals(argument.type());
      return same ? used.getFirst() : graph.add(new Op.Map(compact, argument.dtype(), shape), used).getFirst();
    }
    List<Integer> repeated = repeatedAxes(argument.shape(), shape);
    Op sum = new Op.Reduce(Op.ReduceKind.SUM, compact, argument.dtype(), shape, repeated);
    return graph.add(sum, used).getFirst().reshape(argument.shape());
  }

  private static List<Integer> repeatedAxes(Shape argument, Shape shape) {
    int missing = shape.rank() - argument.rank();
    return IntStream.range(0, shape.rank())
        .filter(axis -> axis < missing || argument.dim(axis - missing) != shape.dim(axis))
        .boxed()
        .toList();
  }

  private void differentiateReduce(Op.Reduce reduce, List<Tensor> in, Tensor dy, Tensor y) {
    Shape kept = Tensor.keepDims(reduce.shape(), reduce.axes());
    DType dtype = in.stream().map(Tensor::dtype).filter(DType::isFloating).findFirst().orElse(dy.dtype());
    Tensor spread = dy.cast(dtype).reshape(kept);
    if (reduce.kind() == Op.ReduceKind.SUM) {
      differentiateExpr(reduce.value(), reduce.shape(), in, spread, null);
      return;
    }
    // The gradient of a maximum goes in equal parts to all that attain it, as PyTorch's amax has it.
    List<Tensor> inputs = new ArrayList<>(in);
    inputs.add(y.reshape(kept));
    Expr attained = select(Relation.EQ, reduce.value(), input(in.size()), constant(1), constant(0));
    Op count = new Op.Reduce(Op.ReduceKind.SUM, attained, dtype, reduce.shape(), reduce.axes());
    Tensor share = spread.over(graph.add(count, inputs).getFirst().reshape(kept));
    inputs.add(share);
    Expr masked = select(Relation.EQ, reduce.value(), input(in.size()), input(in.size() + 1), constant(0));
    Tensor spreadShare = graph.add(new Op.Map(masked, dtype, reduce.shape()), inputs).getFirst();
    differentiateExpr(reduce.value(), reduce.shape(), in, spreadShare, null);
  }

  private void differentiateMatMul(Op.MatMul op, Tensor a, Tensor b, Tensor dy) {
    boolean transposeA = op.transposeA();
    boolean transposeB = op.transposeB();
    boolean exact = op.exact();
    if (needed.contains(a.node())) {
      contribute(
          a,
          transposeA
              ? b.matmul(new Op.MatMul(transposeB, true, exact), dy)
              : dy.matmul(new Op.MatMul(false, !transposeB, exact), b));
    }
    if (needed.contains(b.node())) {
      contribute(
          b,
          transposeB
              ? dy.matmul(new Op.MatMul(true, transposeA, exact), a)
              : a.matmul(new Op.MatMul(!transposeA, false, exact), dy));
    }
  }

  private static IllegalArgumentException notDifferentiable(Node node, String why) {
    String where = node.layer().isEmpty() ? "" : node.layer() + ": ";
    return new IllegalArgumentException(where + node.op().label() + " is between the parameters and the loss; " + why);
  }
}
