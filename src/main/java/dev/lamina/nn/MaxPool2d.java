package dev.lamina.nn;

import dev.lamina.graph.Padding;
import dev.lamina.graph.PoolSpec;
import dev.lamina.graph.Size;
import dev.lamina.graph.Tensor;

/**
 * The largest value of each window: [n,h,w,c] to [n,h',w',c]. Of equal values the first gets the gradient; a NaN wins.
 *
 * @param window extents of a window, at most 256 positions
 * @param stride step between windows
 * @param padding rows and columns around the image, fewer than the window has
 */
public record MaxPool2d(Size window, Size stride, Padding padding) implements Layer {
  public MaxPool2d {
    requirePositive("window", window);
    requirePositive("stride", stride);
    if (padding == null) {
      throw new IllegalArgumentException("maxpool2d: the padding is missing");
    }
  }

  /** Square windows side by side. */
  public MaxPool2d(int window) {
    this(window, window, 0);
  }

  /** Square windows, the same padding on each side. */
  public MaxPool2d(int window, int stride, int padding) {
    this(Size.square(window), Size.square(stride), Padding.all(padding));
  }

  @Override
  public Tensor forward(Tensor x, Scope scope) {
    Inputs.requireImages(x, "maxpool2d", scope);
    PoolSpec spec = new PoolSpec(window, stride, padding);
    Inputs.requireFits(
        x, spec.outputHeight(x.shape().dim(1)), spec.outputWidth(x.shape().dim(2)), window, "maxpool2d", scope);
    return x.maxPool2d(spec);
  }

  private static void requirePositive(String what, Size size) {
    if (size == null || size.height() < 1 || size.width() < 1) {
      throw new IllegalArgumentException("maxpool2d: expected a " + what + " of 1 or more, got " + size);
    }
  }
}
