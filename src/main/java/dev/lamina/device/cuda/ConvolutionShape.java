package dev.lamina.device.cuda;

import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Op;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.List;

/**
 * A convolution in one of its three directions.
 *
 * @param image [n,h,w,c]
 * @param filter [out,kh,kw,in/groups]
 * @param output [n,h',w',out]
 */
record ConvolutionShape(Direction direction, ConvSpec spec, Shape image, Shape filter, Shape output, DType dtype) {

  /** What is computed from the other two. */
  enum Direction {
    FORWARD,
    INPUT_GRADIENT,
    FILTER_GRADIENT
  }

  /** The convolution that {@code op} is. */
  static ConvolutionShape of(Op op, List<TensorType> in) {
    Shape first = in.get(0).shape();
    Shape second = in.get(1).shape();
    DType dtype = in.getFirst().dtype();
    return switch (op) {
      case Op.Conv2d(ConvSpec spec) ->
          new ConvolutionShape(Direction.FORWARD, spec, first, second, output(spec, first, second), dtype);
      case Op.Conv2dInputGradient(ConvSpec spec, Shape image) ->
          new ConvolutionShape(Direction.INPUT_GRADIENT, spec, image, second, first, dtype);
      case Op.Conv2dFilterGradient(ConvSpec spec, Shape filter) ->
          new ConvolutionShape(Direction.FILTER_GRADIENT, spec, first, filter, second, dtype);
      default -> throw new IllegalArgumentException(op.label() + " is no convolution");
    };
  }

  private static Shape output(ConvSpec spec, Shape image, Shape filter) {
    return Shape.of(
        image.dim(0),
        spec.outputHeight(image.dim(1), filter.dim(1)),
        spec.outputWidth(image.dim(2), filter.dim(2)),
        filter.dim(0));
  }

  /** Both inputs in the order of the operation, then what comes out. */
  List<Shape> operands() {
    return switch (direction) {
      case FORWARD -> List.of(image, filter, output);
      case INPUT_GRADIENT -> List.of(output, filter, image);
      case FILTER_GRADIENT -> List.of(image, output, filter);
    };
  }

  /** Whether opposite sides are padded alike, as cuDNN's legacy calls want it. */
  boolean isSymmetric() {
    var padding = spec.padding();
    return padding.top() == padding.bottom() && padding.left() == padding.right();
  }

  /** What an algorithm is chosen for. */
  String key() {
    return String.join("/", direction.name(), spec.toString(), image.toString(), filter.toString(), dtype.name())
        .replace(" ", "");
  }
}
