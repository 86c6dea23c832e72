package dev.lamina.train.pretrain;

import java.util.SplittableRandom;

/** A tiny machine of which everything is known, by summing over all of its states. */
final class ExactRbm {
  final VisibleUnits units;
  final double[][] weight; // [hidden][visible]
  final double[] visibleBias;
  final double[] hiddenBias;

  ExactRbm(VisibleUnits units, double[][] weight, double[] visibleBias, double[] hiddenBias) {
    this.units = units;
    this.weight = weight;
    this.visibleBias = visibleBias;
    this.hiddenBias = hiddenBias;
  }

  /** With normal weights of the given deviation, and biases of half of it. */
  static ExactRbm random(VisibleUnits units, int visible, int hidden, double deviation, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double[][] weight = new double[hidden][visible];
    for (double[] row : weight) {
      fill(row, deviation, random);
    }
    double[] b = new double[visible];
    double[] c = new double[hidden];
    fill(b, deviation / 2, random);
    fill(c, deviation / 2, random);
    return new ExactRbm(units, weight, b, c);
  }

  private static void fill(double[] values, double deviation, SplittableRandom random) {
    for (int i = 0; i < values.length; i++) {
      values[i] = deviation * random.nextGaussian();
    }
  }

  int visible() {
    return visibleBias.length;
  }

  int hidden() {
    return hiddenBias.length;
  }

  /** The bits of {@code state} as units. */
  static double[] bits(int state, int count) {
    double[] bits = new double[count];
    for (int i = 0; i < count; i++) {
      bits[i] = state >> i & 1;
    }
    return bits;
  }

  double energy(double[] v, double[] h) {
    double energy = 0;
    for (int j = 0; j < h.length; j++) {
      energy -= hiddenBias[j] * h[j];
      for (int i = 0; i < v.length; i++) {
        energy -= h[j] * weight[j][i] * v[i];
      }
    }
    for (int i = 0; i < v.length; i++) {
      double own = units == VisibleUnits.BINARY ? -visibleBias[i] * v[i] : Math.pow(v[i] - visibleBias[i], 2) / 2;
      energy += own;
    }
    return energy;
  }

  /** −log Σ exp(−E(v, h)) over all h, as it stands there. */
  double freeEnergy(double[] v) {
    double sum = 0;
    for (int h = 0; h < 1 << hidden(); h++) {
      sum += Math.exp(-energy(v, bits(h, hidden())));
    }
    return -Math.log(sum);
  }

  /** Of binary visible units: the probability of each state. */
  double[] distribution() {
    double[] p = new double[1 << visible()];
    double z = 0;
    for (int v = 0; v < p.length; v++) {
      p[v] = Math.exp(-freeEnergy(bits(v, visible())));
      z += p[v];
    }
    for (int v = 0; v < p.length; v++) {
      p[v] /= z;
    }
    return p;
  }

  /** P(h = 1 | v). */
  double[] hiddenGiven(double[] v) {
    double[] p = new double[hidden()];
    for (int j = 0; j < p.length; j++) {
      double in = hiddenBias[j];
      for (int i = 0; i < v.length; i++) {
        in += weight[j][i] * v[i];
      }
      p[j] = 1 / (1 + Math.exp(-in));
    }
    return p;
  }

  /** The mean of each visible unit given h. */
  double[] visibleGiven(double[] h) {
    double[] means = new double[visible()];
    for (int i = 0; i < means.length; i++) {
      double in = visibleBias[i];
      for (int j = 0; j < h.length; j++) {
        in += weight[j][i] * h[j];
      }
      means[i] = units == VisibleUnits.BINARY ? 1 / (1 + Math.exp(-in)) : in;
    }
    return means;
  }

  static double probability(double[] means, int state) {
    double p = 1;
    for (int i = 0; i < means.length; i++) {
      p *= (state >> i & 1) == 1 ? means[i] : 1 - means[i];
    }
    return p;
  }

  /** Of binary visible units: their distribution after one alternating sample of all hidden and all visible ones. */
  double[] step(double[] before) {
    double[] after = new double[before.length];
    for (int v = 0; v < before.length; v++) {
      double[] hidden = hiddenGiven(bits(v, visible()));
      for (int h = 0; h < 1 << hidden(); h++) {
        double[] means = visibleGiven(bits(h, hidden()));
        double p = before[v] * probability(hidden, h);
        for (int next = 0; next < after.length; next++) {
          after[next] += p * probability(means, next);
        }
      }
    }
    return after;
  }

  /** Means of v·P(h|v), of v and of P(h|v), flat: [hidden · visible], [visible], [hidden]. */
  double[] statistics(double[] distribution) {
    double[] sums = new double[hidden() * visible() + visible() + hidden()];
    for (int v = 0; v < distribution.length; v++) {
      double[] bits = bits(v, visible());
      double[] hidden = hiddenGiven(bits);
      for (int j = 0; j < hidden(); j++) {
        for (int i = 0; i < visible(); i++) {
          sums[j * visible() + i] += distribution[v] * hidden[j] * bits[i];
        }
        sums[hidden() * visible() + visible() + j] += distribution[v] * hidden[j];
      }
      for (int i = 0; i < visible(); i++) {
        sums[hidden() * visible() + i] += distribution[v] * bits[i];
      }
    }
    return sums;
  }

  /** The mean log-probability of data, given as the share of each state. */
  double logLikelihood(double[] data) {
    double[] model = distribution();
    double sum = 0;
    for (int v = 0; v < data.length; v++) {
      sum += data[v] == 0 ? 0 : data[v] * Math.log(model[v]);
    }
    return sum;
  }
}
