package dev.lamina.conformance;

import static dev.lamina.conformance.Fills.f32;
import static dev.lamina.conformance.Fills.in;

import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op;
import dev.lamina.graph.Padding;
import dev.lamina.graph.Size;
import dev.lamina.graph.TypeInference;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;

/** Convolutions and both their gradients, and matrix products, on every device. */
class ConvolutionConformanceTest {
  private static final Size ONE = Size.square(1);

  record Geometry(ConvSpec spec, int[] image, int[] filter) {
    int[] output() {
      List<TensorType> in = List.of(TensorType.f32(image), TensorType.f32(filter));
      return TypeInference.infer(new Op.Conv2d(spec), in).getFirst().shape().dims();
    }

    OpCase forward() {
      return OpCase.of(new Op.Conv2d(spec), f32(image), f32(filter));
    }

    OpCase inputGradient() {
      return OpCase.of(new Op.Conv2dInputGradient(spec, Shape.of(image)), f32(output()), f32(filter));
    }

    OpCase filterGradient() {
      return OpCase.of(new Op.Conv2dFilterGradient(spec, Shape.of(filter)), f32(image), f32(output()));
    }
  }

  static List<Geometry> geometries() {
    List<Geometry> all = new ArrayList<>();
    all.add(geometry(same(3), 2, 9, 11, 16, 32, 3, 3));
    all.add(geometry(same(3), 1, 5, 7, 3, 17, 3, 3));
    all.add(geometry(same(3), 3, 4, 4, 33, 7, 3, 3));
    all.add(geometry(same(5), 2, 8, 8, 1, 6, 5, 5));
    all.add(geometry(ConvSpec.PLAIN, 2, 6, 5, 19, 23, 1, 1));
    all.add(geometry(ConvSpec.PLAIN, 1, 1, 1, 1, 1, 1, 1));
    all.add(geometry(ConvSpec.PLAIN, 2, 3, 3, 5, 4, 3, 3));
    all.add(geometry(same(3), 2, 1, 1, 8, 8, 3, 3));
    all.add(geometry(same(3), 1, 1, 9, 4, 16, 3, 3));
    all.add(geometry(new ConvSpec(Size.square(2), Padding.NONE, ONE, 1), 2, 8, 8, 16, 24, 1, 1));
    all.add(geometry(new ConvSpec(Size.square(2), Padding.all(3), ONE, 1), 1, 17, 15, 3, 20, 7, 7));
    all.add(geometry(new ConvSpec(new Size(2, 3), new Padding(2, 0, 1, 3), ONE, 1), 2, 7, 8, 5, 9, 3, 2));
    all.add(geometry(new ConvSpec(ONE, Padding.all(2), Size.square(2), 1), 2, 7, 6, 8, 16, 3, 3));
    all.add(geometry(new ConvSpec(Size.square(2), new Padding(0, 3, 4, 0), new Size(3, 2), 1), 1, 9, 8, 4, 5, 3, 3));
    all.add(geometry(new ConvSpec(ONE, Padding.all(1), ONE, 2), 2, 6, 6, 8, 12, 3, 3));
    all.add(geometry(new ConvSpec(Size.square(2), Padding.all(1), ONE, 3), 1, 7, 7, 9, 6, 3, 3));
    all.add(geometry(new ConvSpec(ONE, Padding.all(1), ONE, 13), 2, 6, 5, 13, 13, 3, 3));
    all.add(geometry(new ConvSpec(Size.square(2), Padding.all(2), ONE, 32), 1, 8, 9, 32, 32, 5, 5));
    all.add(geometry(new ConvSpec(ONE, Padding.all(1), ONE, 4), 2, 5, 5, 4, 12, 3, 3));
    Random random = new Random(4711);
    while (all.size() < 36) {
      randomly(random).ifPresent(all::add);
    }
    all.add(geometry(same(5), 1, 45, 40, 16, 20, 5, 5));
    all.add(geometry(new ConvSpec(Size.square(2), Padding.all(1), ONE, 1), 1, 41, 38, 6, 16, 3, 3));
    all.add(geometry(new ConvSpec(Size.square(2), Padding.all(1), ONE, 20), 2, 9, 8, 20, 20, 3, 3));
    all.addAll(winograd());
    all.addAll(fewChannels());
    return all;
  }

  /** For which a device may have Winograd's algorithm: many channels or strides, many tiles, whole or not. */
  private static List<Geometry> winograd() {
    return List.of(
        geometry(same(3), 5, 9, 11, 32, 32, 3, 3),
        geometry(same(3), 1, 1, 1, 64, 32, 3, 3),
        geometry(same(3), 9, 7, 8, 48, 96, 3, 3),
        geometry(same(3), 17, 6, 6, 16, 16, 3, 3),
        geometry(ConvSpec.PLAIN, 17, 8, 7, 32, 64, 3, 3),
        geometry(same(5), 5, 7, 6, 32, 64, 5, 5),
        geometry(same(5), 4, 8, 8, 16, 16, 5, 5),
        geometry(ConvSpec.PLAIN, 9, 9, 8, 48, 32, 5, 5),
        geometry(new ConvSpec(ONE, new Padding(4, 0, 1, 3), ONE, 1), 7, 6, 5, 32, 32, 5, 5),
        geometry(new ConvSpec(ONE, new Padding(2, 0, 1, 2), ONE, 1), 12, 6, 5, 32, 32, 3, 3),
        geometry(new ConvSpec(Size.square(2), Padding.all(1), ONE, 1), 4, 15, 24, 20, 32, 3, 3),
        geometry(new ConvSpec(Size.square(2), Padding.all(2), ONE, 1), 5, 15, 14, 16, 16, 5, 5),
        geometry(new ConvSpec(Size.square(2), Padding.all(3), ONE, 1), 3, 23, 21, 3, 64, 7, 7),
        geometry(new ConvSpec(Size.square(4), Padding.all(2), ONE, 1), 6, 43, 44, 3, 32, 11, 11));
  }

  /** A first layer's: few channels, many filters, and images for several threads. */
  private static List<Geometry> fewChannels() {
    return List.of(
        geometry(new ConvSpec(Size.square(2), Padding.all(3), ONE, 1), 5, 21, 19, 3, 33, 7, 7),
        geometry(same(3), 4, 9, 8, 1, 32, 3, 3),
        geometry(ConvSpec.PLAIN, 4, 9, 7, 2, 40, 4, 1),
        geometry(new ConvSpec(new Size(3, 2), new Padding(0, 2, 1, 0), new Size(2, 1), 1), 6, 14, 12, 2, 36, 3, 5));
  }

  private static java.util.Optional<Geometry> randomly(Random random) {
    int groups = random.nextInt(4) == 0 ? 1 + random.nextInt(3) : 1;
    int kernelHeight = 1 + random.nextInt(4);
    int kernelWidth = 1 + random.nextInt(4);
    ConvSpec spec =
        new ConvSpec(
            new Size(1 + random.nextInt(3), 1 + random.nextInt(3)),
            new Padding(random.nextInt(3), random.nextInt(3), random.nextInt(3), random.nextInt(3)),
            new Size(1 + random.nextInt(2), 1 + random.nextInt(2)),
            groups);
    int height = 1 + random.nextInt(12);
    int width = 1 + random.nextInt(12);
    if (spec.outputHeight(height, kernelHeight) < 1 || spec.outputWidth(width, kernelWidth) < 1) {
      return java.util.Optional.empty();
    }
    int in = 1 + random.nextInt(20);
    int out = groups * (1 + random.nextInt(20));
    return java.util.Optional.of(
        new Geometry(
            spec,
            new int[] {1 + random.nextInt(3), height, width, in * groups},
            new int[] {out, kernelHeight, kernelWidth, in}));
  }

  @TestFactory
  Stream<DynamicNode> forward() {
    return Conformance.tests(geometries().stream().map(Geometry::forward).toList());
  }

  @TestFactory
  Stream<DynamicNode> inputGradient() {
    return Conformance.tests(geometries().stream().map(Geometry::inputGradient).toList());
  }

  @TestFactory
  Stream<DynamicNode> filterGradient() {
    return Conformance.tests(geometries().stream().map(Geometry::filterGradient).toList());
  }

  /**
   * A NaN in the image reaches just the outputs whose windows hold it; padding and unused lanes make none. Winograd's
   * algorithm, which mixes neighbours, is not held to that.
   */
  @TestFactory
  Stream<DynamicNode> brokenImages() {
    List<OpCase> cases = new ArrayList<>();
    for (Geometry g : geometries().subList(0, 20)) {
      int[] image = g.image;
      cases.add(OpCase.of(new Op.Conv2d(g.spec), in(DType.F32, Fills.BROKEN, image), f32(g.filter)));
      cases.add(
          OpCase.of(
              new Op.Conv2dInputGradient(g.spec, Shape.of(image)),
              in(DType.F32, Fills.BROKEN, g.output()),
              f32(g.filter)));
      cases.add(
          OpCase.of(
              new Op.Conv2dFilterGradient(g.spec, Shape.of(g.filter)),
              in(DType.F32, Fills.BROKEN, image),
              f32(g.output())));
    }
    return Conformance.tests(cases);
  }

  @TestFactory
  Stream<DynamicNode> withExpressionsRiding() {
    List<OpCase> cases = new ArrayList<>();
    Expr relu = Exprs.ifNotPositive(Exprs.input(3), Exprs.constant(0), Exprs.input(3));
    for (Geometry g : Stream.concat(geometries().stream().limit(20), winograd().stream()).toList()) {
      Op conv = new Op.Conv2d(g.spec);
      Expr biased = Exprs.add(Exprs.input(3), Exprs.input(2));
      int channels = g.filter[0];
      cases.add(OpCase.of(new Op.Fused(conv, -1, null, biased, 1), f32(g.image), f32(g.filter), f32(channels)));
      cases.add(
          OpCase.of(
              new Op.Fused(conv, -1, null, Exprs.max(biased, Exprs.constant(0)), 1),
              f32(g.image),
              f32(g.filter),
              f32(channels)));
      cases.add(
          OpCase.of(
              new Op.Fused(conv, -1, null, Exprs.add(relu, Exprs.input(2)), 1),
              f32(g.image),
              f32(g.filter),
              f32(g.output())));
      Expr normalised = Exprs.max(Exprs.mul(Exprs.input(0), Exprs.input(2)), Exprs.constant(0));
      cases.add(OpCase.of(new Op.Fused(conv, 0, normalised, null, 1), f32(g.image), f32(g.filter), f32(g.image[3])));
    }
    for (Geometry g : Stream.concat(winograd().stream(), fewChannels().stream()).toList()) {
      Op gradient = new Op.Conv2dInputGradient(g.spec, Shape.of(g.image));
      Expr sum = Exprs.add(Exprs.input(3), Exprs.input(2));
      cases.add(OpCase.of(new Op.Fused(gradient, -1, null, sum, 1), f32(g.output()), f32(g.filter), f32(g.image)));
    }
    return Conformance.tests(cases);
  }

  @TestFactory
  Stream<DynamicNode> otherTypes() {
    List<OpCase> cases = new ArrayList<>();
    for (DType dtype : List.of(DType.F64, DType.BF16, DType.F16)) {
      for (Geometry g : geometries().subList(0, 6)) {
        cases.add(
            OpCase.of(new Op.Conv2d(g.spec), in(dtype, Fills.NORMAL, g.image), in(dtype, Fills.NORMAL, g.filter)));
      }
    }
    return Conformance.tests(cases);
  }

  private static ConvSpec same(int kernel) {
    return new ConvSpec(ONE, Padding.all(kernel / 2), ONE, 1);
  }

  /** Image n, h, w, c; filters out, kh, kw. */
  private static Geometry geometry(ConvSpec spec, int n, int h, int w, int c, int out, int kh, int kw) {
    return new Geometry(spec, new int[] {n, h, w, c}, new int[] {out, kh, kw, c / spec.groups()});
  }
}
