package dev.lamina.benchmarks;

import dev.lamina.nn.Layer;
import dev.lamina.nn.activation.ELU;
import dev.lamina.nn.activation.GELU;
import dev.lamina.nn.activation.GELU.Approximation;
import dev.lamina.nn.activation.HardSigmoid;
import dev.lamina.nn.activation.HardSwish;
import dev.lamina.nn.activation.Identity;
import dev.lamina.nn.activation.LeakyReLU;
import dev.lamina.nn.activation.Maxout;
import dev.lamina.nn.activation.Mish;
import dev.lamina.nn.activation.PReLU;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.activation.SELU;
import dev.lamina.nn.activation.SiLU;
import dev.lamina.nn.activation.Sigmoid;
import dev.lamina.nn.activation.Softplus;
import dev.lamina.nn.activation.Softsign;
import dev.lamina.nn.activation.Tanh;

/** The activations by name. */
public enum ActivationKind {
  RELU(new ReLU()),
  IDENTITY(new Identity()),
  SIGMOID(new Sigmoid()),
  TANH(new Tanh()),
  LEAKY_RELU(new LeakyReLU()),
  /** With a slope for each channel. */
  PRELU(new PReLU(true)),
  ELU(new ELU()),
  SELU(new SELU()),
  GELU(new GELU()),
  GELU_TANH(new GELU(Approximation.TANH)),
  SILU(new SiLU()),
  SOFTPLUS(new Softplus()),
  SOFTSIGN(new Softsign()),
  HARD_SIGMOID(new HardSigmoid()),
  HARD_SWISH(new HardSwish()),
  MISH(new Mish()),
  /** Two pieces, as many units as channels: a dense layer, so its time is that of a matrix product. */
  MAXOUT(new Maxout(Footprint.CHANNELS, 2));

  private final Layer layer;

  ActivationKind(Layer layer) {
    this.layer = layer;
  }

  /** The activation as a layer. */
  public Layer layer() {
    return layer;
  }

  /** Values that are added up in one of its results. */
  int sumLength() {
    return this == MAXOUT ? 2 * Footprint.CHANNELS : 1;
  }
}
