package dev.lamina.nn.init;

/** The kind of activation that follows a layer, as far as the layer's initial weights care. */
public enum Nonlinearity {
  /** None. */
  LINEAR,
  SIGMOID,
  TANH,
  RELU,
  /** With a slope below 0. */
  LEAKY_RELU,
  SELU;

  /**
   * The factor on {@code 1/√fan} that keeps a signal's size through this activation, by PyTorch's {@code
   * calculate_gain}: 1, 1, 5/3, √2, √(2 / (1 + slope²)), 3/4.
   *
   * @param slope of {@link #LEAKY_RELU} below 0; others ignore it
   */
  public double gain(double slope) {
    return switch (this) {
      case LINEAR, SIGMOID -> 1;
      case TANH -> 5.0 / 3;
      case RELU -> StrictMath.sqrt(2);
      case LEAKY_RELU -> StrictMath.sqrt(2 / (1 + slope * slope));
      case SELU -> 0.75;
    };
  }
}
