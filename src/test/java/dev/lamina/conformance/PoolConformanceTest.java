package dev.lamina.conformance;

import static dev.lamina.conformance.Fills.in;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op;
import dev.lamina.graph.Op.PoolKind;
import dev.lamina.graph.Padding;
import dev.lamina.graph.PoolSpec;
import dev.lamina.graph.Size;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;

/** Pooling and its gradient on every device: which position wins is compared exactly. */
class PoolConformanceTest {

  private record Geometry(PoolSpec spec, Shape image) {
    Shape output() {
      return Shape.of(image.dim(0), spec.outputHeight(image.dim(1)), spec.outputWidth(image.dim(2)), image.dim(3));
    }
  }

  private static List<Geometry> geometries() {
    List<Geometry> all = new ArrayList<>();
    all.add(new Geometry(PoolSpec.tiled(2), Shape.of(2, 8, 8, 32)));
    all.add(new Geometry(PoolSpec.tiled(2), Shape.of(1, 7, 9, 3)));
    all.add(new Geometry(PoolSpec.tiled(1), Shape.of(1, 3, 3, 5)));
    all.add(new Geometry(PoolSpec.tiled(16), Shape.of(1, 16, 32, 17)));
    all.add(new Geometry(new PoolSpec(Size.square(3), Size.square(2), Padding.all(1)), Shape.of(2, 9, 8, 19)));
    all.add(new Geometry(new PoolSpec(Size.square(3), Size.square(1), Padding.all(1)), Shape.of(1, 6, 6, 16)));
    all.add(new Geometry(new PoolSpec(new Size(2, 3), new Size(3, 1), new Padding(1, 0, 0, 2)), Shape.of(2, 7, 6, 4)));
    all.add(new Geometry(new PoolSpec(new Size(1, 4), new Size(1, 5), Padding.NONE), Shape.of(3, 2, 14, 33)));
    all.add(new Geometry(new PoolSpec(Size.square(5), Size.square(4), Padding.all(4)), Shape.of(1, 1, 2, 7)));
    Random random = new Random(5);
    while (all.size() < 20) {
      Size window = new Size(1 + random.nextInt(4), 1 + random.nextInt(4));
      Padding padding =
          new Padding(
              random.nextInt(window.height()),
              random.nextInt(window.height()),
              random.nextInt(window.width()),
              random.nextInt(window.width()));
      PoolSpec spec = new PoolSpec(window, new Size(1 + random.nextInt(4), 1 + random.nextInt(4)), padding);
      Shape image =
          Shape.of(1 + random.nextInt(3), 1 + random.nextInt(10), 1 + random.nextInt(10), 1 + random.nextInt(40));
      if (spec.outputHeight(image.dim(1)) > 0 && spec.outputWidth(image.dim(2)) > 0) {
        all.add(new Geometry(spec, image));
      }
    }
    return all;
  }

  @TestFactory
  Stream<DynamicNode> forward() {
    List<OpCase> cases = new ArrayList<>();
    for (Geometry g : geometries()) {
      for (PoolKind kind : PoolKind.values()) {
        cases.add(OpCase.of(new Op.Pool2d(kind, g.spec), in(Fills.NORMAL, g.image)));
      }
    }
    return Conformance.tests(cases);
  }

  @TestFactory
  Stream<DynamicNode> withAnExpressionBehind() {
    List<OpCase> cases = new ArrayList<>();
    for (Geometry g : geometries()) {
      for (PoolKind kind : PoolKind.values()) {
        Expr relu = Exprs.ifNotPositive(Exprs.input(1), Exprs.constant(0), Exprs.input(1));
        cases.add(OpCase.of(new Op.Fused(new Op.Pool2d(kind, g.spec), -1, null, relu, 0), in(Fills.NORMAL, g.image)));
        Expr scaled = Exprs.add(Exprs.mul(Exprs.input(3), Exprs.input(1)), Exprs.input(2));
        cases.add(
            OpCase.of(
                new Op.Fused(new Op.Pool2d(kind, g.spec), -1, null, scaled, 2),
                in(Fills.NORMAL, g.image),
                in(Fills.NORMAL, Shape.of(g.image.last())),
                in(Fills.NORMAL, g.output())));
      }
    }
    return Conformance.tests(cases);
  }

  @TestFactory
  Stream<DynamicNode> ties() {
    return Conformance.tests(
        geometries().stream()
            .map(g -> OpCase.of(new Op.Pool2d(PoolKind.MAX, g.spec), in(Fills.TIES, g.image)))
            .toList());
  }

  @TestFactory
  Stream<DynamicNode> brokenImages() {
    List<OpCase> cases = new ArrayList<>();
    for (Geometry g : geometries()) {
      cases.add(OpCase.of(new Op.Pool2d(PoolKind.MAX, g.spec), in(Fills.BROKEN, g.image)));
      cases.add(OpCase.of(new Op.Pool2d(PoolKind.MAX, g.spec), in(Fills.constant(Double.NEGATIVE_INFINITY), g.image)));
      cases.add(OpCase.of(new Op.Pool2d(PoolKind.MAX, g.spec), in(Fills.constant(-1e30), g.image)));
      cases.add(OpCase.of(new Op.Pool2d(PoolKind.AVERAGE, g.spec), in(Fills.BROKEN, g.image)));
    }
    return Conformance.tests(cases);
  }

  @TestFactory
  Stream<DynamicNode> gradients() {
    List<OpCase> cases = new ArrayList<>();
    for (Geometry g : geometries()) {
      cases.add(OpCase.of(new Op.Pool2dGradient(PoolKind.AVERAGE, g.spec, g.image), in(Fills.NORMAL, g.output())));
      cases.add(
          OpCase.of(
              new Op.Pool2dGradient(PoolKind.MAX, g.spec, g.image),
              in(Fills.NORMAL, g.output()),
              in(DType.U8, (tensor, random) -> winners(g, tensor, random), g.output().dims())));
    }
    return Conformance.tests(cases);
  }

  /** The mask of a ReLU that stood behind the pool. */
  @TestFactory
  Stream<DynamicNode> gradientsWithAnExpressionInFront() {
    List<OpCase> cases = new ArrayList<>();
    for (Geometry g : geometries()) {
      Expr ofMax = Exprs.ifNotPositive(Exprs.input(2), Exprs.constant(0), Exprs.input(0));
      Op max = new Op.Pool2dGradient(PoolKind.MAX, g.spec, g.image);
      cases.add(
          OpCase.of(
              new Op.Fused(max, 0, ofMax, null, 1),
              in(Fills.NORMAL, g.output()),
              in(DType.U8, (tensor, random) -> winners(g, tensor, random), g.output().dims()),
              in(Fills.NORMAL, g.output())));
      Expr ofAverage = Exprs.mul(Exprs.input(0), Exprs.add(Exprs.input(1), Exprs.input(2)));
      Op average = new Op.Pool2dGradient(PoolKind.AVERAGE, g.spec, g.image);
      cases.add(
          OpCase.of(
              new Op.Fused(average, 0, ofAverage, null, 2),
              in(Fills.NORMAL, g.output()),
              in(Fills.NORMAL, Shape.of(g.image.last())),
              in(Fills.NORMAL, g.output())));
    }
    return Conformance.tests(cases);
  }

  /** A random position of each window that lies within the image. */
  private static void winners(Geometry g, HostTensor winners, Random random) {
    Shape out = g.output();
    int at = 0;
    for (int n = 0; n < out.dim(0); n++) {
      for (int oy = 0; oy < out.dim(1); oy++) {
        for (int ox = 0; ox < out.dim(2); ox++) {
          for (int c = 0; c < out.dim(3); c++) {
            int row =
                within(
                    oy * g.spec.stride().height() - g.spec.padding().top(),
                    g.spec.window().height(),
                    g.image.dim(1),
                    random);
            int column =
                within(
                    ox * g.spec.stride().width() - g.spec.padding().left(),
                    g.spec.window().width(),
                    g.image.dim(2),
                    random);
            winners.set(at++, row * g.spec.window().width() + column);
          }
        }
      }
    }
  }

  private static int within(int start, int window, int extent, Random random) {
    int first = Math.max(0, -start);
    int end = Math.min(window, extent - start);
    return first + random.nextInt(end - first);
  }
}
