package dev.lamina.nn.recurrent;

import java.util.function.DoubleUnaryOperator;

/** Recurrent layers as plain loops over one example, written from the papers' formulas. */
final class ByHand {
  final int units;
  final int features;
  final double[] weight;
  final double[] recurrent;
  final double[] bias;

  /** Weights are stacked by gate, row-major. */
  ByHand(int units, int features, double[] weight, double[] recurrent, double[] bias) {
    this.units = units;
    this.features = features;
    this.weight = weight;
    this.recurrent = recurrent;
    this.bias = bias;
  }

  /** All steps of the plain layer, [time][units]. */
  double[][] rnn(double[][] x, DoubleUnaryOperator function) {
    double[][] steps = new double[x.length][];
    double[] h = new double[units];
    for (int t = 0; t < x.length; t++) {
      double[] next = new double[units];
      for (int u = 0; u < units; u++) {
        next[u] = function.applyAsDouble(input(0, u, x[t]) + state(0, u, h));
      }
      steps[t] = h = next;
    }
    return steps;
  }

  double[][] lstm(double[][] x) {
    double[][] steps = new double[x.length][];
    double[] h = new double[units];
    double[] c = new double[units];
    for (int t = 0; t < x.length; t++) {
      double[] next = new double[units];
      for (int u = 0; u < units; u++) {
        double i = sigmoid(input(0, u, x[t]) + state(0, u, h));
        double f = sigmoid(input(1, u, x[t]) + state(1, u, h));
        double g = Math.tanh(input(2, u, x[t]) + state(2, u, h));
        double o = sigmoid(input(3, u, x[t]) + state(3, u, h));
        c[u] = f * c[u] + i * g;
        next[u] = o * Math.tanh(c[u]);
      }
      steps[t] = h = next;
    }
    return steps;
  }

  double[][] gru(double[][] x, double[] candidateBias) {
    double[][] steps = new double[x.length][];
    double[] h = new double[units];
    for (int t = 0; t < x.length; t++) {
      double[] next = new double[units];
      for (int u = 0; u < units; u++) {
        double r = sigmoid(input(0, u, x[t]) + state(0, u, h));
        double z = sigmoid(input(1, u, x[t]) + state(1, u, h));
        double candidate = Math.tanh(input(2, u, x[t]) + r * (state(2, u, h) + candidateBias[u]));
        next[u] = (1 - z) * candidate + z * h[u];
      }
      steps[t] = h = next;
    }
    return steps;
  }

  private double input(int gate, int unit, double[] x) {
    int row = gate * units + unit;
    double sum = bias[row];
    for (int i = 0; i < features; i++) {
      sum += weight[row * features + i] * x[i];
    }
    return sum;
  }

  private double state(int gate, int unit, double[] h) {
    int row = gate * units + unit;
    double sum = 0;
    for (int i = 0; i < units; i++) {
      sum += recurrent[row * units + i] * h[i];
    }
    return sum;
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }
}
