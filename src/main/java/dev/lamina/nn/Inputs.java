package dev.lamina.nn;

import dev.lamina.graph.Tensor;
import dev.lamina.tensor.Shape;

/** What layers say when they get an input they cannot take. */
final class Inputs {
  private Inputs() {}

  /** Requires [n,h,w,c]. */
  static void requireImages(Tensor x, String layer, Scope scope) {
    if (x.shape().rank() != 4) {
      String hint = x.shape().rank() == 2 ? "; is it behind a Flatten, or is a Reshape to [h,w,c] missing?" : "";
      throw refuse(layer, "expected images [n,h,w,c], got " + x.shape() + hint, scope);
    }
  }

  /** Requires [n,features]. */
  static void requireVectors(Tensor x, String layer, Scope scope) {
    if (x.shape().rank() != 2) {
      String hint =
          switch (x.shape().rank()) {
            case 3 -> "; does the recurrent layer before it return all steps, or is a Flatten missing?";
            case 4 -> "; is a Flatten or a GlobalAveragePool missing?";
            default -> "";
          };
      throw refuse(layer, "expected vectors [n,features], got " + x.shape() + hint, scope);
    }
  }

  /** Requires a window to lie within images, padding included. */
  static void requireFits(Tensor x, int outputHeight, int outputWidth, Object window, String layer, Scope scope) {
    if (outputHeight < 1 || outputWidth < 1) {
      Shape shape = x.shape();
      // Where the second dimension is smaller than both others it may be the channels.
      boolean channelsFirst = shape.dim(1) < Math.min(shape.dim(2), shape.dim(3));
      String hint = channelsFirst ? "; is the input NCHW?" : "; the layers before it have shrunk the image too far";
      throw refuse(
          layer,
          "a window of "
              + window
              + " does not fit in images of "
              + shape.dim(1)
              + "x"
              + shape.dim(2)
              + " (input "
              + shape
              + " NHWC)"
              + hint,
          scope);
    }
  }

  /** The exception: in one line where, what was expected and what came. */
  static IllegalArgumentException refuse(String layer, String problem, Scope scope) {
    return new IllegalArgumentException((scope.path().isEmpty() ? "" : scope.path() + ": ") + layer + ": " + problem);
  }
}
