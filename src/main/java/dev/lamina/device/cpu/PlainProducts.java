package dev.lamina.device.cpu;

import dev.lamina.device.Step;
import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Op;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.List;

/** Matrix products and convolutions as plain loops, one output element at a time. */
final class PlainProducts {
  private PlainProducts() {}

  private interface Element {
    void compute(long[] in, long[] out, int index);
  }

  private static CpuKernel kernel(long size, Element element, Workers workers) {
    int elements = Math.toIntExact(size);
    return (inputs, outputs, _) -> {
      int chunk = 256;
      Workers.Task task =
          i -> {
            int last = Math.min(elements, (i + 1) * chunk);
            for (int e = i * chunk; e < last; e++) {
              element.compute(inputs, outputs, e);
            }
          };
      Step step = () -> workers.run(task, (elements + chunk - 1) / chunk);
      return step;
    };
  }

  static CpuKernel matMul(Op.MatMul op, List<TensorType> in, Workers workers) {
    Shape a = in.get(0).shape();
    Shape b = in.get(1).shape();
    int inner = op.transposeA() ? a.dim(0) : a.dim(1);
    int columns = op.transposeB() ? b.dim(0) : b.dim(1);
    int rows = op.transposeA() ? a.dim(1) : a.dim(0);
    long aRow = op.transposeA() ? 1 : inner;
    long aStep = op.transposeA() ? rows : 1;
    long bColumn = op.transposeB() ? inner : 1;
    long bStep = op.transposeB() ? 1 : columns;
    return kernel(
        (long) rows * columns,
        (inputs, outputs, e) -> {
          long left = inputs[0] + 4 * (e / columns * aRow);
          long right = inputs[1] + 4 * (e % columns * bColumn);
          float sum = 0;
          for (int k = 0; k < inner; k++) {
            sum = Math.fma(Memory.get(left + 4 * k * aStep), Memory.get(right + 4 * k * bStep), sum);
          }
          Memory.set(outputs[0] + 4L * e, sum);
        },
        workers);
  }

  static CpuKernel conv2d(ConvSpec spec, Shape image, Shape filter, Workers workers) {
    int height = image.dim(1);
    int width = image.dim(2);
    int channels = image.dim(3);
    int own = filter.dim(3);
    int out = filter.dim(0);
    int outHeight = spec.outputHeight(height, filter.dim(1));
    int outWidth = spec.outputWidth(width, filter.dim(2));
    return kernel(
        (long) image.dim(0) * outHeight * outWidth * out,
        (inputs, outputs, e) -> {
          int o = e % out;
          int x = e / out % outWidth;
          int y = e / out / outWidth % outHeight;
          int n = e / out / outWidth / outHeight;
          float sum = 0;
          for (int i = 0; i < filter.dim(1); i++) {
            int row = y * spec.stride().height() - spec.padding().top() + i * spec.dilation().height();
            for (int j = 0; j < filter.dim(2) && row >= 0 && row < height; j++) {
              int column = x * spec.stride().width() - spec.padding().left() + j * spec.dilation().width();
              if (column >= 0 && column < width) {
                long from =
                    inputs[0]
                        + 4
                            * ((((long) n * height + row) * width + column) * channels
                                + o / (out / spec.groups()) * own);
                long tap = inputs[1] + 4 * (((long) o * filter.dim(1) + i) * filter.dim(2) + j) * own;
                for (int c = 0; c < own; c++) {
                  sum = Math.fma(Memory.get(from + 4L * c), Memory.get(tap + 4L * c), sum);
                }
              }
            }
          }
          Memory.set(outputs[0] + 4L * e, sum);
        },
        workers);
  }

  static CpuKernel inputGradient(ConvSpec spec, Shape image, Shape filter, Workers workers) {
    int height = image.dim(1);
    int width = image.dim(2);
    int channels = image.dim(3);
    int own = filter.dim(3);
    int out = filter.dim(0);
    int outHeight = spec.outputHeight(height, filter.dim(1));
    int outWidth = spec.outputWidth(width, filter.dim(2));
    int perGroup = out / spec.groups();
    return kernel(
        image.size(),
        (inputs, outputs, e) -> {
          int c = e % channels;
          int column = e / channels % width;
          int row = e / channels / width % height;
          int n = e / channels / width / height;
          float sum = 0;
          for (int i = 0; i < filter.dim(1); i++) {
            int up = row + spec.padding().top() - i * spec.dilation().height();
            for (int j = 0; j < filter.dim(2); j++) {
              int left = column + spec.padding().left() - j * spec.dilation().width();
              boolean hits =
                  up >= 0 && left >= 0 && up % spec.stride().height() == 0 && left % spec.stride().width() == 0;
              int y = up / spec.stride().height();
              int x = left / spec.stride().width();
              if (hits && y < outHeight && x < outWidth) {
                for (int k = 0; k < perGroup; k++) {
                  int o = c / own * perGroup + k;
                  float dy = Memory.get(inputs[0] + 4 * ((((long) n * outHeight + y) * outWidth + x) * out + o));
                  sum =
                      Math.fma(
                          dy,
                          Memory.get(
                              inputs[1] + 4 * ((((long) o * filter.dim(1) + i) * filter.dim(2) + j) * own + c % own)),
                          sum);
                }
              }
            }
          }
          Memory.set(outputs[0] + 4L * e, sum);
        },
        workers);
  }

  static CpuKernel filterGradient(ConvSpec spec, Shape image, Shape filter, Workers workers) {
    int height = image.dim(1);
    int width = image.dim(2);
    int channels = image.dim(3);
    int own = filter.dim(3);
    int out = filter.dim(0);
    int outHeight = spec.outputHeight(height, filter.dim(1));
    int outWidth = spec.outputWidth(width, filter.dim(2));
    return kernel(
        filter.size(),
        (inputs, outputs, e) -> {
          int c = e % own;
          int j = e / own % filter.dim(2);
          int i = e / own / filter.dim(2) % filter.dim(1);
          int o = e / own / filter.dim(2) / filter.dim(1);
          double sum = 0;
          for (int n = 0; n < image.dim(0); n++) {
            for (int y = 0; y < outHeight; y++) {
              int row = y * spec.stride().height() - spec.padding().top() + i * spec.dilation().height();
              for (int x = 0; x < outWidth && row >= 0 && row < height; x++) {
                int column = x * spec.stride().width() - spec.padding().left() + j * spec.dilation().width();
                if (column >= 0 && column < width) {
                  long from =
                      (((long) n * height + row) * width + column) * channels + o / (out / spec.groups()) * own + c;
                  sum +=
                      Memory.get(inputs[0] + 4 * from)
                          * Memory.get(inputs[1] + 4 * ((((long) n * outHeight + y) * outWidth + x) * out + o));
                }
              }
            }
          }
          Memory.set(outputs[0] + 4L * e, (float) sum);
        },
        workers);
  }
}
