package dev.lamina.graph;

import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.List;

/**
 * What an operation costs at least, on any device: the figures that measured times are held against.
 *
 * @param flops floating-point operations; a multiply-add counts as two, a function or comparison in an expression as
 *     one
 * @param bytes memory that is read or written once: inputs and outputs
 */
public record Cost(long flops, long bytes) {

  /** The cost of {@code op} on inputs of the given types. */
  public static Cost of(Op op, List<TensorType> in) {
    List<TensorType> out = TypeInference.infer(op, in);
    long bytes = in.stream().mapToLong(TensorType::bytes).sum() + out.stream().mapToLong(TensorType::bytes).sum();
    return new Cost(flops(op, in, out), op instanceof Op.Reshape ? 0 : bytes);
  }

  private static long flops(Op op, List<TensorType> in, List<TensorType> out) {
    long elements = out.getFirst().shape().size();
    return switch (op) {
      case Op.Input _, Op.Read _, Op.Reshape _, Op.Permute _, Op.Slice _, Op.Concat _, Op.Pad _, Op.Pack _ -> 0;
      case Op.Map map -> map.shape().size() * map.exprs().stream().mapToLong(Cost::arithmetic).sum();
      case Op.Reduce reduce -> reduce.shape().size() * (arithmetic(reduce.value()) + 1);
      case Op.ReduceWithMap(Op.Reduce reduce, Op.Map map) -> flops(reduce, in, out) + flops(map, in, out);
      case Op.MatMul matMul -> 2 * elements * in.getFirst().shape().dim(matMul.transposeA() ? 0 : 1);
      case Op.Conv2d _ -> convolution(out.getFirst().shape(), in.get(1).shape());
      case Op.Conv2dInputGradient _ -> convolution(in.getFirst().shape(), in.get(1).shape());
      case Op.Conv2dFilterGradient(ConvSpec _, Shape filter) -> convolution(in.get(1).shape(), filter);
      case Op.Pool2d(Op.PoolKind _, PoolSpec spec) -> elements * spec.window().area();
      case Op.Pool2dGradient(Op.PoolKind _, PoolSpec spec, Shape _) ->
          in.getFirst().shape().size() * spec.window().area();
      // Forward: mean, variance (subtract, square, add), normalise. Backward: two sums of products, then x̂ and three
      // terms.
      case Op.BatchNorm _ -> 7 * in.getFirst().shape().size();
      case Op.BatchNormGradient _ -> 11 * in.getFirst().shape().size();
      // Maximum, difference, exponential, sum.
      case Op.SoftmaxCrossEntropy _, Op.SoftmaxCrossEntropyGradient _, Op.SoftmaxCrossEntropyWithGradient _ ->
          5 * in.getFirst().shape().size();
      case Op.ArgMax _ -> in.getFirst().shape().size();
      // Two comparisons, subtract, multiply, count.
      case Op.Histogram _ -> 5 * in.getFirst().shape().size();
      case Op.Fused fused -> {
        long flops = flops(fused.anchor(), in.subList(0, in.size() - fused.extras()), out);
        flops += fused.epilogue() == null ? 0 : elements * arithmetic(fused.epilogue());
        flops +=
            fused.prologue() == null ? 0 : in.get(fused.prologueInput()).shape().size() * arithmetic(fused.prologue());
        yield flops;
      }
    };
  }

  private static long convolution(Shape output, Shape filter) {
    return 2 * output.size() * filter.sliceSize();
  }

  private static long arithmetic(Expr expr) {
    return switch (expr) {
      case Expr.Input _, Expr.Constant _, Expr.Index _ -> 0;
      case Expr.Uniform _, Expr.Bernoulli _ -> 1;
      case Expr.Unary(Expr.UnaryOp _, Expr a) -> 1 + arithmetic(a);
      case Expr.Binary(Expr.BinaryOp _, Expr a, Expr b) -> 1 + arithmetic(a) + arithmetic(b);
      case Expr.Select(Expr.Relation _, Expr left, Expr right, Expr a, Expr b) ->
          2 + arithmetic(left) + arithmetic(right) + arithmetic(a) + arithmetic(b);
    };
  }
}
