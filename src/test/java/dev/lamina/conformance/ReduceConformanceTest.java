package dev.lamina.conformance;

import static dev.lamina.conformance.Fills.f32;
import static dev.lamina.conformance.Fills.in;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op;
import dev.lamina.graph.Op.ReduceKind;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;

/** Reductions on every device. */
class ReduceConformanceTest {
  private static final Expr A = Exprs.input(0);
  private static final Expr B = Exprs.input(1);

  private record Along(Shape shape, List<Integer> axes) {}

  private static List<Along> all() {
    List<Along> all = new ArrayList<>();
    for (Shape shape :
        List.of(
            Shape.of(1),
            Shape.of(19),
            Shape.of(2049),
            Shape.of(7, 33),
            Shape.of(130, 10),
            Shape.of(3, 5, 4, 17),
            Shape.of(2, 1, 3, 5))) {
      // every subset of the axes
      for (int subset = 0; subset < 1 << shape.rank(); subset++) {
        List<Integer> axes = new ArrayList<>();
        for (int axis = 0; axis < shape.rank(); axis++) {
          if ((subset >> axis & 1) == 1) {
            axes.add(axis);
          }
        }
        all.add(new Along(shape, axes));
      }
    }
    return all;
  }

  @TestFactory
  Stream<DynamicNode> plain() {
    List<OpCase> cases = new ArrayList<>();
    for (Along along : all()) {
      for (ReduceKind kind : ReduceKind.values()) {
        cases.add(OpCase.of(new Op.Reduce(kind, A, DType.F32, along.shape, along.axes), in(Fills.NORMAL, along.shape)));
      }
    }
    return Conformance.tests(cases);
  }

  @TestFactory
  Stream<DynamicNode> withAnExpressionInFront() {
    List<OpCase> cases = new ArrayList<>();
    for (Along along : all()) {
      Shape channels = Shape.of(along.shape.last());
      Expr product = Exprs.mul(Exprs.sub(A, B), Exprs.sub(A, B));
      cases.add(
          OpCase.of(
              new Op.Reduce(ReduceKind.SUM, product, DType.F32, along.shape, along.axes),
              in(Fills.NORMAL, along.shape),
              in(Fills.NORMAL, channels)));
      cases.add(
          OpCase.of(
              new Op.Reduce(ReduceKind.MAX, Exprs.abs(A), DType.F32, along.shape, along.axes),
              in(Fills.NORMAL, along.shape)));
      cases.add(
          OpCase.of(
              new Op.Reduce(ReduceKind.SUM, Exprs.exp(B), DType.F32, along.shape, along.axes),
              f32(),
              in(Fills.NORMAL, channels)));
    }
    return Conformance.tests(cases);
  }

  /** A learned slope's gradient and that of what it multiplies: the second reads what the first does. */
  @TestFactory
  Stream<DynamicNode> withAMapOfTheSameInputs() {
    List<OpCase> cases = new ArrayList<>();
    for (Along along : all()) {
      Shape channels = Shape.of(along.shape.last());
      Expr slopes = Exprs.ifNotPositive(A, Exprs.mul(A, B), Exprs.constant(0));
      Expr inputs = Exprs.ifNotPositive(A, Exprs.mul(B, Exprs.input(2)), B);
      for (ReduceKind kind : List.of(ReduceKind.SUM, ReduceKind.MAX)) {
        cases.add(
            OpCase.of(
                new Op.ReduceWithMap(
                    new Op.Reduce(kind, slopes, DType.F32, along.shape, along.axes),
                    new Op.Map(List.of(inputs, Exprs.neg(A)), List.of(DType.F32, DType.F32), along.shape)),
                in(Fills.NORMAL, along.shape),
                in(Fills.NORMAL, along.shape),
                in(Fills.NORMAL, channels)));
      }
      cases.add(
          OpCase.of(
              new Op.ReduceWithMap(
                  new Op.Reduce(ReduceKind.SUM, A, DType.F32, along.shape, along.axes),
                  new Op.Map(Exprs.mul(A, A), DType.F32, along.shape)),
              in(Fills.NORMAL, along.shape)));
    }
    return Conformance.tests(cases);
  }

  @TestFactory
  Stream<DynamicNode> hardInputs() {
    List<OpCase> cases = new ArrayList<>();
    for (Along along : all()) {
      for (ReduceKind kind : ReduceKind.values()) {
        cases.add(OpCase.of(new Op.Reduce(kind, A, DType.F32, along.shape, along.axes), in(Fills.BROKEN, along.shape)));
      }
      cases.add(
          OpCase.of(
              new Op.Reduce(ReduceKind.SUM, A, DType.F32, along.shape, along.axes),
              in(Fills.FAR_FROM_ZERO, along.shape)));
    }
    return Conformance.tests(cases);
  }

  /** Counts of hits and sums of metrics: integers and doubles hold them without loss. */
  @TestFactory
  Stream<DynamicNode> metrics() {
    List<OpCase> cases = new ArrayList<>();
    for (int n : new int[] {1, 31, 500}) {
      Shape shape = Shape.of(n);
      Expr hit = Exprs.select(Relation.EQ, A, B, Exprs.constant(1), Exprs.constant(0));
      cases.add(
          OpCase.of(
              new Op.Reduce(ReduceKind.SUM, hit, DType.I32, shape, List.of(0)),
              in(DType.I32, Fills.labels(3), n),
              in(DType.I32, Fills.labels(3), n)));
      cases.add(OpCase.of(new Op.Reduce(ReduceKind.SUM, A, DType.F64, shape, List.of(0)), f32(n)));
      cases.add(
          OpCase.of(new Op.Reduce(ReduceKind.SUM, A, DType.F64, shape, List.of(0)), in(DType.F64, Fills.NORMAL, n)));
      cases.add(
          OpCase.of(
              new Op.Reduce(ReduceKind.SUM, Exprs.isFinite(A), DType.F32, shape, List.of(0)),
              in(DType.F32, Fills.BROKEN, n)));
    }
    return Conformance.tests(cases);
  }
}
