package dev.lamina.conformance;

import static dev.lamina.conformance.Fills.f32;
import static dev.lamina.conformance.Fills.in;

import dev.lamina.conformance.OpCase.In;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op;
import dev.lamina.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;

/** Batch normalisation and its gradient on every device. */
class BatchNormConformanceTest {
  private static final double EPSILON = 1e-5;

  private static List<Shape> shapes() {
    return List.of(
        Shape.of(2, 1),
        Shape.of(7, 3),
        Shape.of(64, 32),
        Shape.of(65, 100),
        Shape.of(300, 17),
        Shape.of(1, 5),
        Shape.of(2, 3, 5, 7),
        Shape.of(4, 8, 8, 16),
        Shape.of(3, 5, 4, 33),
        Shape.of(1, 1, 1, 9),
        Shape.of(9, 14, 14, 6),
        Shape.of(2, 4, 3));
  }

  private static In x(Shape shape) {
    return in(Fills.NORMAL, shape);
  }

  private static In channel(Shape shape) {
    return f32(shape.last());
  }

  private static In positive(Shape shape) {
    return in(Fills.POSITIVE, Shape.of(shape.last()));
  }

  @TestFactory
  Stream<DynamicNode> forward() {
    Op op = new Op.BatchNorm(EPSILON);
    return Conformance.tests(shapes().stream().map(s -> OpCase.of(op, x(s), channel(s), channel(s))).toList());
  }

  @TestFactory
  Stream<DynamicNode> hardInputs() {
    Op op = new Op.BatchNorm(EPSILON);
    List<OpCase> cases = new ArrayList<>();
    for (Shape s : shapes()) {
      cases.add(OpCase.of(op, in(Fills.FAR_FROM_ZERO, s), channel(s), channel(s)));
      cases.add(OpCase.of(op, in(Fills.APART, s), channel(s), channel(s)));
      cases.add(OpCase.of(op, in(Fills.constant(3), s), channel(s), channel(s)));
      cases.add(OpCase.of(op, in(Fills.LARGE, s), channel(s), channel(s)));
      cases.add(OpCase.of(op, in(Fills.BROKEN, s), channel(s), channel(s)));
    }
    return Conformance.tests(cases);
  }

  @TestFactory
  Stream<DynamicNode> gradient() {
    Op op = new Op.BatchNormGradient();
    List<OpCase> cases = new ArrayList<>();
    for (Shape s : shapes()) {
      cases.add(OpCase.of(op, x(s), channel(s), channel(s), positive(s), x(s)));
      cases.add(
          OpCase.of(
              op,
              in(Fills.FAR_FROM_ZERO, s),
              channel(s),
              in(Fills.constant(1000), Shape.of(s.last())),
              positive(s),
              x(s)));
    }
    return Conformance.tests(cases);
  }

  /** So many rows and channels that a GPU joins the sums of their parts in a launch of its own. */
  @TestFactory
  Stream<DynamicNode> ofManyParts() {
    Shape s = Shape.of(2611, 132);
    Op forward = new Op.BatchNorm(EPSILON);
    Op gradient = new Op.BatchNormGradient();
    Expr sum = Exprs.max(Exprs.add(Exprs.input(4), Exprs.input(3)), Exprs.constant(0));
    Expr masked = Exprs.select(Relation.GT, Exprs.input(5), Exprs.constant(0), Exprs.input(4), Exprs.constant(0));
    return Conformance.tests(
        List.of(
            OpCase.of(forward, in(Fills.APART, s), channel(s), channel(s)),
            OpCase.of(new Op.Fused(forward, -1, null, sum, 1), x(s), channel(s), channel(s), x(s)),
            OpCase.of(
                new Op.Fused(gradient, 4, masked, null, 1), x(s), channel(s), channel(s), positive(s), x(s), x(s))));
  }

  @TestFactory
  Stream<DynamicNode> withExpressionsRiding() {
    List<OpCase> cases = new ArrayList<>();
    for (Shape s : shapes()) {
      Op forward = new Op.BatchNorm(EPSILON);
      Expr relu = Exprs.ifNotPositive(Exprs.input(3), Exprs.constant(0), Exprs.input(3));
      cases.add(OpCase.of(new Op.Fused(forward, -1, null, relu, 0), x(s), channel(s), channel(s)));
      Expr sum = Exprs.add(Exprs.input(4), Exprs.input(3));
      cases.add(
          OpCase.of(
              new Op.Fused(forward, -1, null, Exprs.max(sum, Exprs.constant(0)), 1),
              x(s),
              channel(s),
              channel(s),
              x(s)));
      Expr silu = Exprs.mul(Exprs.input(3), Exprs.sigmoid(Exprs.input(3)));
      cases.add(OpCase.of(new Op.Fused(forward, -1, null, silu, 0), x(s), channel(s), channel(s)));
      Op backward = new Op.BatchNormGradient();
      Expr masked = Exprs.select(Relation.GT, Exprs.input(5), Exprs.constant(0), Exprs.input(4), Exprs.constant(0));
      cases.add(
          OpCase.of(new Op.Fused(backward, 4, masked, null, 1), x(s), channel(s), channel(s), positive(s), x(s), x(s)));
      Expr scaled = Exprs.mul(Exprs.mul(Exprs.input(4), Exprs.input(5)), Exprs.sub(1, Exprs.input(5)));
      cases.add(
          OpCase.of(new Op.Fused(backward, 4, scaled, null, 1), x(s), channel(s), channel(s), positive(s), x(s), x(s)));
    }
    return Conformance.tests(cases);
  }
}
