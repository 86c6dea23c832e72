package dev.lamina.device.cpu;

import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Size;
import dev.lamina.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * Pixels of a convolution's result that see the same taps of the filter, at regular distances. Forward all pixels are
 * one phase. The gradient of the input of a convolution with stride s has s·s: an input pixel had a part only in those
 * outputs whose window began a multiple of s before it, so each phase is a convolution of the output's gradient with
 * some of the taps, and nothing is multiplied with the zeros that a gradient spread by the stride would have.
 *
 * @param firstRow of the result
 * @param firstColumn of the result
 * @param rows how many there are
 * @param columns how many there are
 * @param taps what is summed; none where the stride is larger than the filter
 */
record ConvolutionPhase(int firstRow, int firstColumn, int rows, int columns, List<Tap> taps) {

  /**
   * One position of the filter.
   *
   * @param index in the filter's rows and columns, row-major
   * @param row of the source that belongs to the phase's first row; negative in the padding
   * @param column the same
   */
  record Tap(int index, int row, int column) {}

  /** The one phase of a convolution forward. */
  static ConvolutionPhase forward(ConvSpec spec, Shape filter, int rows, int columns) {
    List<Tap> taps = new ArrayList<>();
    for (int ky = 0; ky < filter.dim(1); ky++) {
      for (int kx = 0; kx < filter.dim(2); kx++) {
        taps.add(
            new Tap(
                ky * filter.dim(2) + kx,
                ky * spec.dilation().height() - spec.padding().top(),
                kx * spec.dilation().width() - spec.padding().left()));
      }
    }
    return new ConvolutionPhase(0, 0, rows, columns, taps);
  }

  /** The phases of the gradient of an input {@code image}. */
  static List<ConvolutionPhase> gradient(ConvSpec spec, Shape filter, Shape image) {
    Size stride = spec.stride();
    List<ConvolutionPhase> phases = new ArrayList<>();
    for (int y = 0; y < Math.min(stride.height(), image.dim(1)); y++) {
      for (int x = 0; x < Math.min(stride.width(), image.dim(2)); x++) {
        int rows = Math.ceilDiv(image.dim(1) - y, stride.height());
        int columns = Math.ceilDiv(image.dim(2) - x, stride.width());
        phases.add(new ConvolutionPhase(y, x, rows, columns, gradientTaps(spec, filter, y, x)));
      }
    }
    return phases;
  }

  /** The taps through which pixel (y, x) was read, from the last to the first: then sources are in their order. */
  private static List<Tap> gradientTaps(ConvSpec spec, Shape filter, int y, int x) {
    Size stride = spec.stride();
    List<Tap> taps = new ArrayList<>();
    for (int ky = filter.dim(1) - 1; ky >= 0; ky--) {
      for (int kx = filter.dim(2) - 1; kx >= 0; kx--) {
        int row = y + spec.padding().top() - ky * spec.dilation().height();
        int column = x + spec.padding().left() - kx * spec.dilation().width();
        if (row % stride.height() == 0 && column % stride.width() == 0) {
          taps.add(new Tap(ky * filter.dim(2) + kx, row / stride.height(), column / stride.width()));
        }
      }
    }
    return taps;
  }
}
