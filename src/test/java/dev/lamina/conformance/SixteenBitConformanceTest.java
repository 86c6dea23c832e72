package dev.lamina.conformance;

import static dev.lamina.conformance.Fills.in;

import dev.lamina.conformance.OpCase.Fill;
import dev.lamina.conformance.OpCase.In;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Expr.UnaryOp;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op;
import dev.lamina.graph.Op.PoolKind;
import dev.lamina.graph.Op.ReduceKind;
import dev.lamina.graph.Padding;
import dev.lamina.graph.PoolSpec;
import dev.lamina.graph.RandomStream;
import dev.lamina.graph.Size;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;

/**
 * The operations of mixed precision in BF16 and F16, on every device that has these types: statistics and parameters of
 * normalisation stay in F32. Channels are such that 8, 4 and 1 of them travel together.
 */
class SixteenBitConformanceTest {
  private static final List<DType> TYPES = List.of(DType.BF16, DType.F16);
  private static final List<Shape> SHAPES =
      List.of(
          Shape.of(3, 5, 4, 16),
          Shape.of(2, 9, 9, 64),
          Shape.of(7, 3, 3, 12),
          Shape.of(5, 4, 3, 7),
          Shape.of(700, 8),
          Shape.of(5000, 16), // sums in several parts
          Shape.of(1411, 136), // sums that are joined by a launch of their own
          Shape.of(33, 520));

  private static In of(DType dtype, Fill fill, Shape shape) {
    return new In(new TensorType(shape, dtype), fill);
  }

  private static In channel(Shape shape, Fill fill) {
    return of(DType.F32, fill, Shape.of(shape.last()));
  }

  @TestFactory
  Stream<DynamicNode> maps() {
    List<OpCase> cases = new ArrayList<>();
    Expr a = Exprs.input(0);
    Expr b = Exprs.input(1);
    Expr gelu = Exprs.mul(Exprs.mul(a, 0.5), Exprs.add(Exprs.erf(Exprs.mul(a, Math.sqrt(0.5))), 1));
    for (DType dtype : TYPES) {
      for (Shape s : SHAPES) {
        cases.add(OpCase.of(new Op.Map(gelu, dtype, s), of(dtype, Fills.WIDE, s)));
        cases.add(
            OpCase.of(
                new Op.Map(Exprs.max(Exprs.add(a, b), Exprs.constant(0)), dtype, s),
                of(dtype, Fills.BROKEN, s),
                channel(s, Fills.NORMAL)));
        cases.add(OpCase.of(new Op.Map(a, DType.F32, s), of(dtype, Fills.NORMAL, s)));
        cases.add(OpCase.of(new Op.Map(a, dtype, s), of(DType.F32, Fills.HARD_NUMBERS, s)));
        cases.add(
            OpCase.of(
                new Op.Map(List.of(Exprs.mul(a, b), Exprs.exp(a)), List.of(dtype, DType.F32), s),
                of(dtype, Fills.NORMAL, s),
                of(dtype, Fills.NORMAL, s)));
        Expr kept = new Expr.Bernoulli(new RandomStream(7, 11, 1), 3L << 30);
        cases.add(
            OpCase.of(
                new Op.Map(Exprs.mul(a, Exprs.mul(kept, 4 / 3.0)), dtype, s),
                of(dtype, Fills.NORMAL, s),
                in(DType.I32, Fills.labels(1000))));
      }
      Shape odd = Shape.of(4099);
      cases.add(
          OpCase.of(new Op.Map(Exprs.add(a, b), dtype, odd), of(dtype, Fills.NORMAL, odd), of(dtype, Fills.TIES, odd)));
    }
    return Conformance.tests(cases);
  }

  @TestFactory
  Stream<DynamicNode> functions() {
    List<OpCase> cases = new ArrayList<>();
    Shape s = Shape.of(40, 8);
    for (DType dtype : TYPES) {
      for (UnaryOp function : UnaryOp.values()) {
        Op.Map map = new Op.Map(new Expr.Unary(function, Exprs.input(0)), dtype, s);
        boolean needsPositive = function == UnaryOp.LOG || function == UnaryOp.SQRT || function == UnaryOp.LOG1P;
        cases.add(OpCase.of(map, of(dtype, needsPositive ? Fills.POSITIVE : Fills.WIDE, s)));
        cases.add(OpCase.of(map, of(dtype, Fills.HARD_NUMBERS, s)));
      }
    }
    return Conformance.tests(cases);
  }

  @TestFactory
  Stream<DynamicNode> reductions() {
    List<OpCase> cases = new ArrayList<>();
    Expr square = Exprs.mul(Exprs.input(0), Exprs.input(0));
    for (DType dtype : TYPES) {
      for (Shape s : SHAPES) {
        int last = s.rank() - 1;
        for (List<Integer> axes : List.of(List.of(0), List.of(last), List.of(0, last))) {
          cases.add(OpCase.of(new Op.Reduce(ReduceKind.SUM, square, DType.F32, s, axes), of(dtype, Fills.NORMAL, s)));
          cases.add(
              OpCase.of(new Op.Reduce(ReduceKind.MAX, Exprs.input(0), dtype, s, axes), of(dtype, Fills.BROKEN, s)));
        }
      }
      Shape large = Shape.of(300, 400);
      cases.add(
          OpCase.of(
              new Op.Reduce(ReduceKind.SUM, square, DType.F32, large, List.of(0, 1)), of(dtype, Fills.NORMAL, large)));
    }
    return Conformance.tests(cases);
  }

  @TestFactory
  Stream<DynamicNode> batchNorm() {
    List<OpCase> cases = new ArrayList<>();
    Op forward = new Op.BatchNorm(1e-5);
    Op backward = new Op.BatchNormGradient();
    Expr residual = Exprs.max(Exprs.add(Exprs.input(4), Exprs.input(3)), Exprs.constant(0));
    Expr masked = Exprs.select(Relation.GT, Exprs.input(5), Exprs.constant(0), Exprs.input(4), Exprs.constant(0));
    for (DType dtype : TYPES) {
      for (Shape s : SHAPES) {
        for (Fill fill : List.of(Fills.NORMAL, Fills.FAR_FROM_ZERO)) {
          In x = of(dtype, fill, s);
          In gamma = channel(s, Fills.NORMAL);
          cases.add(OpCase.of(forward, x, gamma, gamma));
          cases.add(
              OpCase.of(new Op.Fused(forward, -1, null, residual, 1), x, gamma, gamma, of(dtype, Fills.NORMAL, s)));
          Expr silu = Exprs.mul(Exprs.input(3), Exprs.sigmoid(Exprs.input(3)));
          cases.add(OpCase.of(new Op.Fused(forward, -1, null, silu, 0), x, gamma, gamma));
          In mean = channel(s, fill == Fills.NORMAL ? Fills.NORMAL : Fills.constant(1000));
          In invStd = channel(s, Fills.POSITIVE);
          In gradient = of(dtype, Fills.NORMAL, s);
          cases.add(OpCase.of(backward, x, gamma, mean, invStd, gradient));
          cases.add(
              OpCase.of(new Op.Fused(backward, GRADIENT, masked, null, 1), x, gamma, mean, invStd, gradient, gradient));
        }
      }
    }
    return Conformance.tests(cases);
  }

  /** The input of a batch norm gradient that a prologue replaces. */
  private static final int GRADIENT = 4;

  @TestFactory
  Stream<DynamicNode> pooling() {
    List<OpCase> cases = new ArrayList<>();
    PoolSpec spec = new PoolSpec(Size.square(3), Size.square(2), Padding.all(1));
    for (DType dtype : TYPES) {
      for (Shape s : SHAPES) {
        if (s.rank() != 4) {
          continue;
        }
        Shape out = Shape.of(s.dim(0), spec.outputHeight(s.dim(1)), spec.outputWidth(s.dim(2)), s.dim(3));
        for (PoolKind kind : PoolKind.values()) {
          cases.add(OpCase.of(new Op.Pool2d(kind, spec), of(dtype, Fills.TIES, s)));
          cases.add(OpCase.of(new Op.Pool2d(kind, spec), of(dtype, Fills.BROKEN, s)));
          Expr relu = Exprs.ifNotPositive(Exprs.input(1), Exprs.constant(0), Exprs.input(1));
          cases.add(OpCase.of(new Op.Fused(new Op.Pool2d(kind, spec), -1, null, relu, 0), of(dtype, Fills.NORMAL, s)));
        }
        cases.add(OpCase.of(new Op.Pool2dGradient(PoolKind.AVERAGE, spec, s), of(dtype, Fills.NORMAL, out)));
        // Position 4, the middle of a window, is never in the padding.
        cases.add(
            OpCase.of(
                new Op.Pool2dGradient(PoolKind.MAX, spec, s),
                of(dtype, Fills.NORMAL, out),
                of(DType.U8, Fills.constant(4), out)));
      }
    }
    return Conformance.tests(cases);
  }

  @TestFactory
  Stream<DynamicNode> crossEntropy() {
    List<OpCase> cases = new ArrayList<>();
    for (DType dtype : TYPES) {
      for (int classes : new int[] {3, 10, 1000}) {
        Shape s = Shape.of(9, classes);
        In z = of(dtype, Fills.WIDE, s);
        for (In target : List.of(in(DType.I32, Fills.labels(classes), 9), of(DType.F32, Fills.DISTRIBUTIONS, s))) {
          cases.add(OpCase.of(new Op.SoftmaxCrossEntropy(0.1), z, target));
          cases.add(
              OpCase.of(new Op.SoftmaxCrossEntropyGradient(0.1), z, target, of(dtype, Fills.NORMAL, Shape.of(9))));
        }
        cases.add(OpCase.of(new Op.ArgMax(), of(dtype, Fills.BROKEN, s)));
        cases.add(
            OpCase.of(
                new Op.Histogram(classes),
                of(dtype, Fills.BROKEN, s),
                of(dtype, Fills.constant(-1.5), Shape.scalar()),
                of(dtype, Fills.constant(2), Shape.scalar())));
      }
    }
    return Conformance.tests(cases);
  }
}
