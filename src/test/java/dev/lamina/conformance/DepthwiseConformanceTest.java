package dev.lamina.conformance;

import dev.lamina.conformance.OpCase.In;
import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Op;
import dev.lamina.graph.Padding;
import dev.lamina.graph.Size;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;

/** Convolutions with as many groups as channels: devices have kernels of their own for them. */
class DepthwiseConformanceTest {

  private record Geometry(Shape image, Size kernel, int multiplier, ConvSpec spec) {

    Shape filter() {
      return Shape.of(image.dim(3) * multiplier, kernel.height(), kernel.width(), 1);
    }

    Shape output() {
      return Shape.of(
          image.dim(0),
          spec.outputHeight(image.dim(1), kernel.height()),
          spec.outputWidth(image.dim(2), kernel.width()),
          filter().dim(0));
    }
  }

  private static List<Geometry> geometries() {
    List<Geometry> all = new ArrayList<>();
    for (int channels : new int[] {2, 5, 8, 272}) {
      Padding lopsided = new Padding(0, 1, 2, 1);
      all.add(geometry(2, 9, 8, channels, 3, 3, 1, Padding.all(1), 1, 1));
      all.add(geometry(1, 10, 7, channels, 3, 2, 2, lopsided, 1, 1));
      all.add(geometry(3, 7, 11, channels, 2, 3, 1, Padding.NONE, 2, 1));
      all.add(geometry(1, 8, 8, channels, 3, 3, 3, Padding.all(2), 1, 3));
      all.add(geometry(1, 5, 5, channels, 1, 1, 1, Padding.NONE, 1, 1));
    }
    all.add(geometry(1, 31, 33, 16, 31, 33, 1, Padding.all(1), 1, 1)); // more taps than one tile has room for
    all.add(geometry(16, 24, 24, 8, 3, 3, 1, Padding.all(1), 1, 1)); // sums of the filter gradient in several parts
    return all;
  }

  private static Geometry geometry(
      int n, int h, int w, int c, int kh, int kw, int stride, Padding padding, int dilation, int multiplier) {
    return new Geometry(
        Shape.of(n, h, w, c),
        new Size(kh, kw),
        multiplier,
        new ConvSpec(Size.square(stride), padding, Size.square(dilation), c));
  }

  private static In of(DType dtype, Shape shape) {
    return new In(new TensorType(shape, dtype), Fills.NORMAL);
  }

  @TestFactory
  Stream<DynamicNode> depthwise() {
    List<OpCase> cases = new ArrayList<>();
    for (DType dtype : List.of(DType.F32, DType.BF16, DType.F16)) {
      for (Geometry g : geometries()) {
        cases.add(OpCase.of(new Op.Conv2d(g.spec), of(dtype, g.image), of(dtype, g.filter())));
        cases.add(OpCase.of(new Op.Conv2dInputGradient(g.spec, g.image), of(dtype, g.output()), of(dtype, g.filter())));
        cases.add(
            OpCase.of(new Op.Conv2dFilterGradient(g.spec, g.filter()), of(dtype, g.image), of(dtype, g.output())));
      }
    }
    return Conformance.tests(cases);
  }
}
