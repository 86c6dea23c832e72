package dev.lamina.conformance;

import dev.lamina.conformance.Approximation.Precision;
import dev.lamina.tensor.DType;
import java.util.List;

/**
 * Error bounds of softmax cross-entropy. With m the largest logit of a row, everything is made of z − m, exp(z − m),
 * and sums over the classes.
 */
final class CrossEntropyBounds {
  /** An exponential or a logarithm (4 units), and a few operations around it. */
  private static final double ELEMENT_UNITS = 12;

  private CrossEntropyBounds() {}

  static Bounded loss(double smoothing, List<Bounded> in, Bounded values) {
    Row row = new Row(smoothing, in);
    for (int i = 0; i < values.values().length; i++) {
      row.go(i);
      // loss = Σ t·(log Σexp − (z − m)): every summand by its size, and the logarithm by the relative error of its
      // argument
      double size = row.precision.tiny;
      double mass = 0;
      for (int j = 0; j < row.classes; j++) {
        double t = Math.abs(row.target(j));
        size += t == 0 ? 0 : t * (row.below(j) + Math.log(row.sum));
        mass += t;
      }
      values.errors()[i] = row.units() * row.precision.unit * (size + mass);
    }
    return values;
  }

  static Bounded gradient(double smoothing, List<Bounded> in, Bounded values) {
    Row row = new Row(smoothing, in);
    for (int i = 0; i < in.get(2).values().length; i++) {
      row.go(i);
      double mass = 0;
      for (int j = 0; j < row.classes; j++) {
        mass += Math.abs(row.target(j));
      }
      double g = Math.abs(in.get(2).values()[i]);
      for (int j = 0; j < row.classes; j++) {
        double below = row.below(j);
        double probability = Math.exp(-below) / row.sum;
        // The rounding of z − m is an absolute error of the exponent, so a relative one of the exponential.
        double exponent = Double.isFinite(below) ? below * probability : 0;
        double size = mass * (row.units() * probability + exponent) + ELEMENT_UNITS * Math.abs(row.target(j));
        values.errors()[i * row.classes + j] = g * row.precision.unit * size + row.precision.tiny * (1 + g);
      }
    }
    return values;
  }

  /** One row of the logits. */
  private static final class Row {
    private final double smoothing;
    private final Bounded logits;
    private final Bounded target;
    private final int classes;
    private final Precision precision;
    private int start;
    private double largest;
    private double sum;
    private double spread;

    Row(double smoothing, List<Bounded> in) {
      this.smoothing = smoothing;
      this.logits = in.get(0);
      this.target = in.get(1);
      this.classes = logits.shape().last();
      this.precision = Precision.of(logits.dtype());
    }

    void go(int row) {
      start = row * classes;
      largest = Double.NEGATIVE_INFINITY;
      for (int j = 0; j < classes; j++) {
        largest = Math.max(largest, logits.values()[start + j]);
      }
      sum = 0;
      spread = 0;
      for (int j = 0; j < classes; j++) {
        double e = Math.exp(-below(j));
        sum += e;
        spread += e == 0 ? 0 : e * below(j);
      }
    }

    /** How far logit j is below the largest. */
    double below(int j) {
      return largest - logits.values()[start + j];
    }

    /** Relative error of the sum of exponentials, and all around it, in units. */
    double units() {
      return ErrorBounds.sumUnits(classes) + spread / sum + ELEMENT_UNITS;
    }

    double target(int j) {
      double hard =
          target.dtype() == DType.I32 ? (target.values()[start / classes] == j ? 1 : 0) : target.values()[start + j];
      return (1 - smoothing) * hard + smoothing / classes;
    }
  }
}
