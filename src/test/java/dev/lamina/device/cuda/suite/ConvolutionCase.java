package dev.lamina.device.cuda.suite;

import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Op;
import dev.lamina.graph.Padding;
import dev.lamina.graph.Size;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.List;

/**
 * A convolution that is asked about.
 *
 * @param name where it comes from
 * @param image [n,h,w,c]
 * @param filter [out,kh,kw,in/groups]
 */
record ConvolutionCase(String name, ConvSpec spec, Shape image, Shape filter) {
  private static final Size ONE = Size.square(1);
  private static final int GROUPS = 32;

  /** What is computed from the other two. */
  enum Direction {
    FORWARD,
    INPUT_GRADIENT,
    FILTER_GRADIENT
  }

  /**
   * Four of ResNet-50, one of ResNeXt-50 with groups, and one whose opposite sides are padded differently.
   *
   * @param shrink divides extents and channels
   */
  static List<ConvolutionCase> all(int batch, int shrink) {
    return List.of(
        of("stem 7x7/2", spec(2, Padding.all(3), 1), batch, 224 / shrink, 3, 64 / shrink, 7),
        of("3x3 64", spec(1, Padding.all(1), 1), batch, 56 / shrink, 64 / shrink, 64 / shrink, 3),
        of("1x1 512-128", spec(1, Padding.NONE, 1), batch, 28 / shrink, 512 / shrink, 128 / shrink, 1),
        of("3x3 256", spec(1, Padding.all(1), 1), batch, 14 / shrink, 256 / shrink, 256 / shrink, 3),
        of("3x3 128 in 32 groups", spec(1, Padding.all(1), GROUPS), batch, 56 / shrink, GROUPS * 4, GROUPS * 4, 3),
        of(
            "3x3/2 128, uneven",
            spec(2, new Padding(0, 1, 0, 1), 1),
            batch,
            56 / shrink,
            128 / shrink,
            128 / shrink,
            3));
  }

  private static ConvSpec spec(int stride, Padding padding, int groups) {
    return new ConvSpec(Size.square(stride), padding, ONE, groups);
  }

  private static ConvolutionCase of(String name, ConvSpec spec, int batch, int side, int in, int out, int kernel) {
    return new ConvolutionCase(
        name, spec, Shape.of(batch, side, side, in), Shape.of(out, kernel, kernel, in / spec.groups()));
  }

  DType type(boolean half) {
    return half ? DType.BF16 : DType.F32;
  }

  /** [n,h',w',out] */
  Shape output() {
    return Shape.of(
        image.dim(0),
        spec.outputHeight(image.dim(1), filter.dim(1)),
        spec.outputWidth(image.dim(2), filter.dim(2)),
        filter.dim(0));
  }

  /** Of each direction: a product and a sum for each tap, input channel of the group, and element of the output. */
  double flops() {
    return 2.0 * output().size() * filter.dim(1) * filter.dim(2) * filter.dim(3);
  }

  Op op(Direction direction) {
    return switch (direction) {
      case FORWARD -> new Op.Conv2d(spec);
      case INPUT_GRADIENT -> new Op.Conv2dInputGradient(spec, image);
      case FILTER_GRADIENT -> new Op.Conv2dFilterGradient(spec, filter);
    };
  }

  List<TensorType> inputs(Direction direction, DType dtype) {
    List<Shape> shapes =
        switch (direction) {
          case FORWARD -> List.of(image, filter);
          case INPUT_GRADIENT -> List.of(output(), filter);
          case FILTER_GRADIENT -> List.of(image, output());
        };
    return shapes.stream().map(shape -> new TensorType(shape, dtype)).toList();
  }
}
