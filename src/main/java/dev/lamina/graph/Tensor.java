package dev.lamina.graph;

import static dev.lamina.graph.Exprs.input;

import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/** A value in a graph, before it is computed: an output of a node. Its methods add nodes to that graph. */
public final class Tensor {
  private final Graph graph;
  private final Node node;
  private final int index;

  Tensor(Graph graph, Node node, int index) {
    this.graph = graph;
    this.node = node;
    this.index = index;
  }

  public Graph graph() {
    return graph;
  }

  /** The node that computes it. */
  public Node node() {
    return node;
  }

  /** Which of the node's outputs it is. */
  public int index() {
    return index;
  }

  public TensorType type() {
    return node.types().get(index);
  }

  public Shape shape() {
    return type().shape();
  }

  public DType dtype() {
    return type().dtype();
  }

  /**
   * An expression over this tensor and others, each repeated to the common shape; this one is input 0.
   *
   * @throws IllegalArgumentException if there is no common shape
   */
  public Tensor map(Expr expr, Tensor... others) {
    return map(expr, dtype(), others);
  }

  /** An expression with another element type as result. */
  public Tensor map(Expr expr, DType result, Tensor... others) {
    List<Tensor> inputs = new ArrayList<>(List.of(this));
    inputs.addAll(List.of(others));
    return map(graph, expr, result, inputs);
  }

  /** An expression over {@code inputs}, each repeated to the common shape. */
  public static Tensor map(Graph graph, Expr expr, DType result, List<Tensor> inputs) {
    Shape shape = commonShape(graph, "map", inputs);
    return graph.add(new Op.Map(expr, result, shape), inputs).getFirst();
  }

  /** {@code function} of each element. */
  public Tensor map(UnaryOperator<Expr> function) {
    return map(function.apply(input(0)));
  }

  /** {@code function} of each element and that of {@code other}. */
  public Tensor map(BinaryOperator<Expr> function, Tensor other) {
    return map(function.apply(input(0), input(1)), other);
  }

  public Tensor plus(Tensor other) {
    return map(Exprs::add, other);
  }

  public Tensor minus(Tensor other) {
    return map(Exprs::sub, other);
  }

  public Tensor times(Tensor other) {
    return map(Exprs::mul, other);
  }

  public Tensor over(Tensor other) {
    return map(Exprs::div, other);
  }

  public Tensor plus(double value) {
    return map(x -> Exprs.add(x, value));
  }

  public Tensor times(double value) {
    return map(x -> Exprs.mul(x, value));
  }

  /** The same values in another element type. */
  public Tensor cast(DType dtype) {
    return dtype == dtype() ? this : map(input(0), dtype);
  }

  /** The sum along {@code axes} (all of them if none is named), which are gone from the result. */
  public Tensor sum(int... axes) {
    return reduce(Op.ReduceKind.SUM, input(0), dtype(), axes);
  }

  /** The mean along {@code axes}. */
  public Tensor mean(int... axes) {
    return reduce(Op.ReduceKind.SUM, Exprs.mul(input(0), 1.0 / count(axes)), dtype(), axes);
  }

  /** The maximum along {@code axes}. */
  public Tensor max(int... axes) {
    return reduce(Op.ReduceKind.MAX, input(0), dtype(), axes);
  }

  /**
   * Joins {@code value}, an expression over this tensor (input 0) and others, along {@code axes} of the common shape.
   */
  public Tensor reduce(Op.ReduceKind kind, Expr value, DType result, int[] axes, Tensor... others) {
    List<Tensor> inputs = new ArrayList<>(List.of(this));
    inputs.addAll(List.of(others));
    Shape shape = commonShape(graph, "reduce", inputs);
    return graph.add(new Op.Reduce(kind, value, result, shape, axes(shape, axes)), inputs).getFirst();
  }

  private Tensor reduce(Op.ReduceKind kind, Expr value, DType result, int... axes) {
    return reduce(kind, value, result, axes, new Tensor[0]);
  }

  private long count(int... axes) {
    long count = 1;
    for (int axis : axes(shape(), axes)) {
      count *= shape().dim(axis);
    }
    return count;
  }

  private static List<Integer> axes(Shape shape, int... axes) {
    IntStream chosen = axes.length == 0 ? IntStream.range(0, shape.rank()) : IntStream.of(axes);
    return chosen.map(axis -> axis < 0 ? axis + shape.rank() : axis).sorted().boxed().toList();
  }

  /** The same elements under another shape. */
  public Tensor reshape(Shape shape) {
    return shape.equals(shape()) ? this : graph.one(new Op.Reshape(shape), this);
  }

  /** The same elements under another shape. */
  public Tensor reshape(int... dims) {
    return reshape(Shape.of(dims));
  }

  /** The same values, to {@link Gradients} a constant: nothing flows back from here. */
  public Tensor detach() {
    return graph.one(new Op.Reshape(shape(), true), this);
  }

  /** The matrix product with {@code other}. */
  public Tensor matmul(Tensor other) {
    return matmul(other, false, false);
  }

  /** The matrix product with {@code other}, cast to this one's element type, each transposed first if asked. */
  public Tensor matmul(Tensor other, boolean transposeThis, boolean transposeOther) {
    return matmul(new Op.MatMul(transposeThis, transposeOther), other);
  }

  /** The matrix product {@code op} of this and {@code other}, cast to this one's element type. */
  public Tensor matmul(Op.MatMul op, Tensor other) {
    return graph.one(op, this, other.cast(dtype()));
  }

  /** The convolution of this image [n,h,w,c] with {@code filter} [out,kh,kw,in/groups], cast to its element type. */
  public Tensor conv2d(Tensor filter, ConvSpec spec) {
    return graph.one(new Op.Conv2d(spec), this, filter.cast(dtype()));
  }

  /** The largest element of each window. */
  public Tensor maxPool2d(PoolSpec spec) {
    return graph.one(new Op.Pool2d(Op.PoolKind.MAX, spec), this);
  }

  /** The average of each window, with padding counted as zeros. */
  public Tensor averagePool2d(PoolSpec spec) {
    return graph.one(new Op.Pool2d(Op.PoolKind.AVERAGE, spec), this);
  }

  /** Dimension i of the result is dimension {@code axes[i]} of this. */
  public Tensor permute(Integer... axes) {
    return graph.one(new Op.Permute(List.of(axes)), this);
  }

  /** Elements {@code start} to {@code stop}, exclusive, along {@code axis}. */
  public Tensor slice(int axis, int start, int stop) {
    return graph.one(new Op.Slice(axis < 0 ? axis + shape().rank() : axis, start, stop), this);
  }

  /** {@code tensors} one behind the other along {@code axis}. */
  public static Tensor concat(int axis, List<Tensor> tensors) {
    Tensor first = tensors.getFirst();
    return first.graph.add(new Op.Concat(axis < 0 ? axis + first.shape().rank() : axis), tensors).getFirst();
  }

  /** The index of the largest element along the last dimension, I32. */
  public Tensor argMax() {
    return graph.one(new Op.ArgMax(), this);
  }

  /**
   * How many elements lie in each of {@code bins} equal parts from {@code low} to {@code high}, F32 [bins]; see {@link
   * Op.Histogram}.
   *
   * @param low a scalar of this tensor's type
   * @param high likewise
   */
  public Tensor histogram(Tensor low, Tensor high, int bins) {
    return graph.one(new Op.Histogram(bins), this, low, high);
  }

  /** The shape with {@code axes} set to 1, so that a reduced tensor can be repeated along them again. */
  static Shape keepDims(Shape shape, List<Integer> axes) {
    Shape kept = shape;
    for (int axis : axes) {
      kept = kept.with(axis, 1);
    }
    return kept;
  }

  /** Softmax along the last dimension, safe for any finite values: {@code exp(x − max) / Σ exp(x − max)}. */
  public Tensor softmax() {
    Shape rows = shape().with(-1, 1);
    Tensor largest = max(-1).reshape(rows);
    Tensor exponentials = map((x, m) -> Exprs.exp(Exprs.sub(x, m)), largest);
    return exponentials.over(exponentials.sum(-1).reshape(rows));
  }

  private static Shape commonShape(Graph graph, String what, List<Tensor> inputs) {
    Shape shape = Shape.scalar();
    for (Tensor input : inputs) {
      Shape joined = Shape.broadcast(shape, input.shape());
      if (joined == null) {
        String where = graph.layer().isEmpty() ? "" : graph.layer() + ": ";
        throw new IllegalArgumentException(
            where
                + what
                + ": "
                + shape
                + " and "
                + input.shape()
                + " have no common shape; dimensions are matched from the last one");
      }
      shape = joined;
    }
    return shape;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Tensor tensor && tensor.node == node && tensor.index == index;
  }

  @Override
  public int hashCode() {
    return Objects.hash(System.identityHashCode(node), index);
  }

  /** For example {@code %12 F32[64,10]}. */
  @Override
  public String toString() {
    return "%" + node.id() + (node.types().size() > 1 ? "." + index : "") + " " + type();
  }
}
