package dev.lamina.device.reference;

import dev.lamina.graph.ConvSpec;
import dev.lamina.tensor.Shape;
import java.util.Arrays;

/**
 * A convolution is linear in image and in filter, and its output and both gradients pair up the same elements: for
 * every output pixel and channel, and every tap of the filter that falls into the image, the channels of one image
 * pixel meet those of one tap. One walk over these meetings serves all three; what differs is which of the three
 * tensors is summed up from the other two. Taps in the padding meet nothing, so not even an infinite weight reaches the
 * sum there.
 */
final class Convolution implements Computation {

  /** Which tensor is computed. */
  enum Direction {
    OUTPUT,
    IMAGE,
    FILTER
  }

  private final Direction direction;
  private final ConvSpec spec;
  private final Shape image; // [n][h][w][c]
  private final Shape filter; // [out][kh][kw][c / groups]
  private final Shape output; // [n][oh][ow][out]

  private Convolution(Direction direction, ConvSpec spec, Shape image, Shape filter) {
    this.direction = direction;
    this.spec = spec;
    this.image = image;
    this.filter = filter;
    this.output =
        Shape.of(
            image.dim(0),
            spec.outputHeight(image.dim(1), filter.dim(1)),
            spec.outputWidth(image.dim(2), filter.dim(2)),
            filter.dim(0));
  }

  static Convolution of(Direction direction, ConvSpec spec, Shape image, Shape filter) {
    return new Convolution(direction, spec, image, filter);
  }

  @Override
  public void run(double[][] in, double[][] out) {
    switch (direction) {
      case OUTPUT -> sumUp(out[0], output, in[0], in[1], out[0]);
      case IMAGE -> sumUp(out[0], image, out[0], in[1], in[0]);
      case FILTER -> sumUp(out[0], filter, in[0], out[0], in[1]);
    }
  }

  /** {@code result} is one of x, w and y; the other two are read. */
  private void sumUp(double[] result, Shape shape, double[] x, double[] w, double[] y) {
    Arrays.fill(result, 0, (int) shape.size(), 0);
    int height = image.dim(1);
    int width = image.dim(2);
    int outHeight = output.dim(1);
    int outWidth = output.dim(2);
    int outChannels = output.dim(3);
    int kernelHeight = filter.dim(1);
    int kernelWidth = filter.dim(2);
    int channels = filter.dim(3); // of one group
    int groupOut = outChannels / spec.groups();
    int outAt = 0;
    for (int n = 0; n < image.dim(0); n++) {
      for (int oy = 0; oy < outHeight; oy++) {
        for (int ox = 0; ox < outWidth; ox++) {
          for (int o = 0; o < outChannels; o++, outAt++) {
            for (int i = 0; i < kernelHeight; i++) {
              int row = oy * spec.stride().height() - spec.padding().top() + i * spec.dilation().height();
              if (row < 0 || row >= height) {
                continue;
              }
              for (int j = 0; j < kernelWidth; j++) {
                int column = ox * spec.stride().width() - spec.padding().left() + j * spec.dilation().width();
                if (column < 0 || column >= width) {
                  continue;
                }
                int pixelAt = ((n * height + row) * width + column) * image.dim(3) + o / groupOut * channels;
                int tapAt = ((o * kernelHeight + i) * kernelWidth + j) * channels;
                meet(x, pixelAt, w, tapAt, y, outAt, channels);
              }
            }
          }
        }
      }
    }
  }

  private void meet(double[] x, int pixelAt, double[] w, int tapAt, double[] y, int outAt, int channels) {
    switch (direction) {
      case OUTPUT -> {
        double sum = y[outAt];
        for (int c = 0; c < channels; c++) {
          sum += x[pixelAt + c] * w[tapAt + c];
        }
        y[outAt] = sum;
      }
      case IMAGE -> {
        double gradient = y[outAt];
        for (int c = 0; c < channels; c++) {
          x[pixelAt + c] += gradient * w[tapAt + c];
        }
      }
      case FILTER -> {
        double gradient = y[outAt];
        for (int c = 0; c < channels; c++) {
          w[tapAt + c] += gradient * x[pixelAt + c];
        }
      }
    }
  }
}
