package dev.lamina.device.reference;

import dev.lamina.tensor.Shape;

/**
 * Cross-entropy between softmax(logits) and a target t, {@code −Σ tⱼ·log pⱼ}, a row at a time. Smoothing s turns t into
 * {@code (1 − s)·t + s/classes}. A class index out of range gives NaN, which the finite guard of a step finds.
 *
 * @param byIndex whether the target is one class index a row, or a distribution
 */
record CrossEntropy(int rows, int classes, boolean byIndex, double smoothing) {

  /** Loss [rows] from logits [rows][classes] and a target. */
  static Computation loss(Shape logits, Shape target, double smoothing) {
    CrossEntropy rule = new CrossEntropy(logits.dim(0), logits.dim(1), target.rank() == 1, smoothing);
    return (in, out) -> {
      for (int row = 0; row < rule.rows; row++) {
        out[0][row] = rule.loss(in[0], in[1], row);
      }
    };
  }

  /** Gradient of the logits from logits, target and gradient of the loss [rows]. */
  static Computation gradient(Shape logits, Shape target, double smoothing) {
    CrossEntropy rule = new CrossEntropy(logits.dim(0), logits.dim(1), target.rank() == 1, smoothing);
    return (in, out) -> {
      for (int row = 0; row < rule.rows; row++) {
        rule.gradient(in[0], in[1], in[2][row], row, out[0]);
      }
    };
  }

  /** Loss and gradient from what the latter needs. */
  static Computation both(Shape logits, Shape target, double smoothing) {
    Computation loss = loss(logits, target, smoothing);
    Computation gradient = gradient(logits, target, smoothing);
    return (in, out) -> {
      loss.run(in, out);
      gradient.run(in, new double[][] {out[1]});
    };
  }

  private double loss(double[] logits, double[] target, int row) {
    double largest = largest(logits, row);
    double logSum = StrictMath.log(sumOfExp(logits, row, largest));
    double loss = 0;
    for (int j = 0; j < classes; j++) {
      double t = target(target, row, j);
      // A class that has no part in the target stays out even when its probability is 0 and its log infinite.
      loss -= t == 0 ? 0 : t * (logits[row * classes + j] - largest - logSum);
    }
    return loss;
  }

  /** dzⱼ = g·(pⱼ·Σt − tⱼ); Σt is 1 for every distribution. */
  private void gradient(double[] logits, double[] target, double g, int row, double[] result) {
    double largest = largest(logits, row);
    double sum = sumOfExp(logits, row, largest);
    double mass = 0;
    for (int j = 0; j < classes; j++) {
      mass += target(target, row, j);
    }
    for (int j = 0; j < classes; j++) {
      double probability = StrictMath.exp(logits[row * classes + j] - largest) / sum;
      result[row * classes + j] = g * (probability * mass - target(target, row, j));
    }
  }

  private double target(double[] target, int row, int j) {
    double hard = byIndex ? oneHot(target[row], j) : target[row * classes + j];
    return (1 - smoothing) * hard + smoothing / classes;
  }

  private double oneHot(double label, int j) {
    if (label < 0 || label >= classes) {
      return Double.NaN;
    }
    return label == j ? 1 : 0;
  }

  private double largest(double[] logits, int row) {
    double largest = Double.NEGATIVE_INFINITY;
    for (int j = 0; j < classes; j++) {
      largest = Math.max(largest, logits[row * classes + j]);
    }
    return largest;
  }

  private double sumOfExp(double[] logits, int row, double largest) {
    double sum = 0;
    for (int j = 0; j < classes; j++) {
      sum += StrictMath.exp(logits[row * classes + j] - largest);
    }
    return sum;
  }
}
