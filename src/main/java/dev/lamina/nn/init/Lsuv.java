package dev.lamina.nn.init;

import dev.lamina.tensor.HostTensor;
import java.util.random.RandomGenerator;

/**
 * Layer-sequential unit variance (Mishkin and Matas 2015, algorithm 1): an orthonormal start, which a trainer then
 * divides, layer by layer, by the standard deviation of the layer's output on the first batch, until the variance is
 * about 1. What {@link #fill} writes is the orthonormal part; the rest takes data.
 *
 * @param tolerance by which the variance may differ from 1; 0.1
 * @param rounds the most divisions for a layer; 10
 */
public record Lsuv(double tolerance, int rounds) implements Initializer {
  public Lsuv {
    if (!(tolerance > 0 && tolerance < 1)) {
      throw new IllegalArgumentException("init lsuv: expected a tolerance above 0 and below 1, got " + tolerance);
    }
    if (rounds < 1) {
      throw new IllegalArgumentException("init lsuv: expected 1 round or more, got " + rounds);
    }
  }

  /** Tolerance 0.1, 10 rounds: the paper's. */
  public Lsuv() {
    this(0.1, 10);
  }

  @Override
  public void fill(HostTensor target, RandomGenerator random) {
    if (target.shape().rank() < 2) {
      throw new IllegalArgumentException(
          "init lsuv: expected a weight of at least [out, in], got " + target.shape() + "; give biases zeros");
    }
    new Orthogonal().fill(target, random);
  }
}
