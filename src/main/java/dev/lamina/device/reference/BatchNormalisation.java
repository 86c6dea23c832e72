package dev.lamina.device.reference;

import dev.lamina.tensor.Shape;

/** Batch normalisation of [rows][channels], whatever the rows are made of, channel by channel. */
final class BatchNormalisation {
  private BatchNormalisation() {}

  /** Two passes: the variance is summed from deviations, so a mean far from zero costs no digits. */
  static Computation forward(Shape x, double epsilon) {
    int channels = x.last();
    int size = Math.toIntExact(x.size());
    double rows = (double) size / channels;
    return (in, out) -> {
      for (int c = 0; c < channels; c++) {
        double sum = 0;
        for (int i = c; i < size; i += channels) {
          sum += in[0][i];
        }
        double mean = sum / rows;
        double squares = 0;
        for (int i = c; i < size; i += channels) {
          double deviation = in[0][i] - mean;
          squares += deviation * deviation;
        }
        double variance = squares / rows;
        double invStd = 1 / Math.sqrt(variance + epsilon);
        for (int i = c; i < size; i += channels) {
          out[0][i] = in[1][c] * (in[0][i] - mean) * invStd + in[2][c];
        }
        out[1][c] = mean;
        out[2][c] = variance;
        out[3][c] = invStd;
      }
    };
  }

  /**
   * With x̂ = (x − mean)·invStd: dβ = Σ g, dγ = Σ g·x̂, and, since mean and variance depend on x too, dx = γ·invStd·(g
   * − dβ/rows − x̂·dγ/rows).
   */
  static Computation gradient(Shape x) {
    int channels = x.last();
    int size = Math.toIntExact(x.size());
    double rows = (double) size / channels;
    return (in, out) -> {
      double[] gradient = in[4];
      for (int c = 0; c < channels; c++) {
        double gamma = in[1][c];
        double mean = in[2][c];
        double invStd = in[3][c];
        double forBeta = 0;
        double forGamma = 0;
        for (int i = c; i < size; i += channels) {
          forBeta += gradient[i];
          forGamma += gradient[i] * (in[0][i] - mean) * invStd;
        }
        for (int i = c; i < size; i += channels) {
          double normalised = (in[0][i] - mean) * invStd;
          out[0][i] = gamma * invStd * (gradient[i] - forBeta / rows - normalised * forGamma / rows);
        }
        out[1][c] = forGamma;
        out[2][c] = forBeta;
      }
    };
  }
}
