package dev.lamina.conformance;

import dev.lamina.conformance.Approximation.Precision;
import java.util.List;

/**
 * Error bounds of batch normalisation, whose statistics a device has to compute from deviations: a variance taken as
 * the difference of two large sums does not pass.
 */
final class BatchNormBounds {
  /** Multiplications, additions and a square root on the way of one element, with room for another order of them. */
  private static final double ELEMENT_UNITS = 8;

  private BatchNormBounds() {}

  /** Bounds for y, mean, variance, invStd, whose {@code values} are given. */
  static List<Bounded> forward(double epsilon, List<Bounded> in, List<Bounded> values) {
    Bounded x = in.getFirst();
    int channels = x.shape().last();
    double rows = (double) x.values().length / channels;
    Precision precision = Precision.of(values.get(1).dtype());
    double sum = ErrorBounds.sumUnits(rows) * precision.unit;
    for (int c = 0; c < channels; c++) {
      double mean = values.get(1).values()[c];
      double variance = values.get(2).values()[c];
      double invStd = values.get(3).values()[c];
      double magnitude = 0;
      for (int i = c; i < x.values().length; i += channels) {
        magnitude += Math.abs(x.values()[i]) / rows;
      }
      double meanError = sum * magnitude + precision.unit * Math.abs(mean) + precision.tiny;
      // Each deviation is off by the error of the mean, all by the same: the cross terms 2·Σ deviation·error cancel but
      // for rounding.
      double deviation = Math.sqrt(variance);
      double varianceError =
          (sum + ELEMENT_UNITS * precision.unit) * (variance + deviation * magnitude * precision.unit)
              + meanError * meanError
              + precision.tiny;
      double invStdError =
          0.5 * invStd / Math.max(variance - varianceError + epsilon, precision.tiny) * varianceError
              + ELEMENT_UNITS * precision.unit * invStd;
      values.get(1).errors()[c] = meanError;
      values.get(2).errors()[c] = varianceError;
      values.get(3).errors()[c] = invStdError;
      double gamma = Math.abs(in.get(1).values()[c]);
      double beta = Math.abs(in.get(2).values()[c]);
      for (int i = c; i < x.values().length; i += channels) {
        double size = Math.abs(x.values()[i]) + Math.abs(mean);
        values.getFirst().errors()[i] =
            gamma * invStd * meanError
                + gamma * Math.abs(x.values()[i] - mean) * invStdError
                + ELEMENT_UNITS * precision.unit * (gamma * invStd * size + beta)
                + precision.tiny;
      }
    }
    return values;
  }

  /** Bounds for the gradients of x, γ and β; what the gradient of y lacks in exactness goes on to all of them. */
  static List<Bounded> gradient(List<Bounded> in, List<Bounded> values) {
    Bounded x = in.getFirst();
    Bounded g = in.get(4);
    int channels = x.shape().last();
    double rows = (double) x.values().length / channels;
    Precision precision = Precision.of(values.get(1).dtype());
    double sum = (ErrorBounds.sumUnits(rows) + ELEMENT_UNITS) * precision.unit;
    for (int c = 0; c < channels; c++) {
      double mean = in.get(2).values()[c];
      double invStd = in.get(3).values()[c];
      double scale = Math.abs(in.get(1).values()[c]) * invStd;
      double gammaError = precision.tiny;
      double betaError = precision.tiny;
      double gammaSize = 0;
      double betaSize = 0;
      for (int i = c; i < x.values().length; i += channels) {
        double size = (Math.abs(x.values()[i]) + Math.abs(mean)) * invStd;
        double gradient = Math.abs(g.values()[i]);
        gammaSize += gradient * size;
        betaSize += gradient;
        gammaError += sum * gradient * size + g.errors()[i] * size;
        betaError += sum * gradient + g.errors()[i];
      }
      values.get(1).errors()[c] = gammaError;
      values.get(2).errors()[c] = betaError;
      for (int i = c; i < x.values().length; i += channels) {
        double size = (Math.abs(x.values()[i]) + Math.abs(mean)) * invStd;
        double terms = Math.abs(g.values()[i]) + betaSize / rows + size * gammaSize / rows;
        values.getFirst().errors()[i] =
            scale
                    * (g.errors()[i]
                        + betaError / rows
                        + size * gammaError / rows
                        + ELEMENT_UNITS * precision.unit * terms)
                + precision.tiny;
      }
    }
    return values;
  }
}
