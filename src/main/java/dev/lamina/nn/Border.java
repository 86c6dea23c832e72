package dev.lamina.nn;

import dev.lamina.graph.Padding;
import dev.lamina.graph.Size;

/** What lies around an image under a convolution: a rule or a number of zeros. */
public sealed interface Border {

  /** The zeros for an image of {@code image} under windows of {@code kernel}. */
  Padding around(Size image, Size kernel, Size stride, Size dilation);

  /** Rules. */
  enum Rule implements Border {
    /**
     * As many zeros as make the output {@code ⌈image / stride⌉}: with stride 1 the size stays. An odd zero goes to the
     * bottom and the right, as in TensorFlow, and in PyTorch, which allows stride 1 only.
     */
    SAME,
    /** None: only windows that lie within the image. */
    VALID;

    @Override
    public Padding around(Size image, Size kernel, Size stride, Size dilation) {
      if (this == VALID) {
        return Padding.NONE;
      }
      int rows = missing(image.height(), kernel.height(), stride.height(), dilation.height());
      int columns = missing(image.width(), kernel.width(), stride.width(), dilation.width());
      return new Padding(rows / 2, rows - rows / 2, columns / 2, columns - columns / 2);
    }

    private static int missing(int image, int kernel, int stride, int dilation) {
      int windows = Math.ceilDiv(image, stride);
      return Math.max(0, (windows - 1) * stride + dilation * (kernel - 1) + 1 - image);
    }
  }

  /** A number of zeros on each side. */
  record Zeros(int top, int bottom, int left, int right) implements Border {
    public Zeros {
      if (top < 0 || bottom < 0 || left < 0 || right < 0) {
        throw new IllegalArgumentException(
            "padding: expected no negative number, got " + top + ", " + bottom + ", " + left + ", " + right);
      }
    }

    /** The same on each side. */
    public Zeros(int all) {
      this(all, all, all, all);
    }

    @Override
    public Padding around(Size image, Size kernel, Size stride, Size dilation) {
      return new Padding(top, bottom, left, right);
    }
  }

  /** {@link Rule#SAME}. */
  Border SAME = Rule.SAME;

  /** {@link Rule#VALID}. */
  Border VALID = Rule.VALID;
}
