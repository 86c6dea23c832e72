package dev.lamina.device.reference;

import dev.lamina.graph.Op.PoolKind;
import dev.lamina.graph.PoolSpec;
import dev.lamina.tensor.Shape;
import java.util.Arrays;

/** Pooling of images [n][h][w][c] and its gradient. */
final class Pooling implements Computation {

  private enum Job {
    MAXIMUM,
    MAXIMUM_GRADIENT,
    AVERAGE,
    AVERAGE_GRADIENT
  }

  private final Job job;
  private final PoolSpec spec;
  private final Shape image;
  private final int outHeight;
  private final int outWidth;

  private Pooling(Job job, PoolSpec spec, Shape image) {
    this.job = job;
    this.spec = spec;
    this.image = image;
    this.outHeight = spec.outputHeight(image.dim(1));
    this.outWidth = spec.outputWidth(image.dim(2));
  }

  static Pooling forward(PoolKind kind, PoolSpec spec, Shape image) {
    return new Pooling(kind == PoolKind.MAX ? Job.MAXIMUM : Job.AVERAGE, spec, image);
  }

  static Pooling gradient(PoolKind kind, PoolSpec spec, Shape image) {
    return new Pooling(kind == PoolKind.MAX ? Job.MAXIMUM_GRADIENT : Job.AVERAGE_GRADIENT, spec, image);
  }

  @Override
  public void run(double[][] in, double[][] out) {
    if (job == Job.MAXIMUM_GRADIENT || job == Job.AVERAGE_GRADIENT) {
      Arrays.fill(out[0], 0, (int) image.size(), 0);
    }
    int channels = image.dim(3);
    int at = 0;
    for (int n = 0; n < image.dim(0); n++) {
      for (int oy = 0; oy < outHeight; oy++) {
        int top = oy * spec.stride().height() - spec.padding().top();
        for (int ox = 0; ox < outWidth; ox++) {
          int left = ox * spec.stride().width() - spec.padding().left();
          for (int c = 0; c < channels; c++, at++) {
            switch (job) {
              case MAXIMUM -> maximum(in[0], n, top, left, c, at, out);
              case MAXIMUM_GRADIENT -> out[0][winner(n, top, left, c, (int) in[1][at])] += in[0][at];
              case AVERAGE -> out[0][at] = average(in[0], n, top, left, c);
              case AVERAGE_GRADIENT -> spread(in[0][at] / spec.window().area(), n, top, left, c, out[0]);
            }
          }
        }
      }
    }
  }

  /** The first of the largest in row-major order, or the first NaN; positions in the padding do not take part. */
  private void maximum(double[] x, int n, int top, int left, int c, int at, double[][] out) {
    double best = Double.NEGATIVE_INFINITY;
    int winner = -1;
    for (int position = 0; position < spec.window().area(); position++) {
      int element = element(n, top, left, c, position);
      if (element < 0) {
        continue;
      }
      double value = x[element];
      boolean firstNaN = Double.isNaN(value) && !Double.isNaN(best);
      if (winner < 0 || value > best || firstNaN) {
        best = value;
        winner = position;
      }
    }
    out[0][at] = best;
    out[1][at] = winner;
  }

  /** Positions in the padding count as zeros: the sum is divided by the whole window. */
  private double average(double[] x, int n, int top, int left, int c) {
    double sum = 0;
    for (int position = 0; position < spec.window().area(); position++) {
      int element = element(n, top, left, c, position);
      sum += element < 0 ? 0 : x[element];
    }
    return sum / spec.window().area();
  }

  private void spread(double share, int n, int top, int left, int c, double[] gradient) {
    for (int position = 0; position < spec.window().area(); position++) {
      int element = element(n, top, left, c, position);
      if (element >= 0) {
        gradient[element] += share;
      }
    }
  }

  private int winner(int n, int top, int left, int c, int position) {
    int element = element(n, top, left, c, position);
    if (element < 0) {
      throw new IllegalStateException(
          "max pool gradient: the winner at position " + position + " of a window lies in the padding");
    }
    return element;
  }

  /** Index of the element at {@code position} of the window that begins at (top, left); −1 in the padding. */
  private int element(int n, int top, int left, int c, int position) {
    int row = top + position / spec.window().width();
    int column = left + position % spec.window().width();
    boolean inside = 0 <= row && row < image.dim(1) && 0 <= column && column < image.dim(2);
    return inside ? ((n * image.dim(1) + row) * image.dim(2) + column) * image.dim(3) + c : -1;
  }
}
