package dev.lamina.nn;

import dev.lamina.graph.Tensor;
import dev.lamina.nn.init.He;
import dev.lamina.nn.init.Initializer;
import dev.lamina.nn.init.Zeros;
import dev.lamina.tensor.Shape;

/**
 * Every output is a weighted sum of all inputs: {@code x·Wᵀ + b}, [n, in] to [n, units]. Parameters: {@code weight}
 * [units, in], {@code bias} [units].
 *
 * @param units outputs
 * @param weight fills the weight; He normal by fan-in unless said otherwise, which suits the ReLU that usually follows
 * @param bias fills the bias; zeros unless said otherwise; null for no bias
 */
public record Dense(int units, Initializer weight, Initializer bias) implements Layer {
  public Dense {
    if (units < 1) {
      throw new IllegalArgumentException("dense: expected 1 unit or more, got " + units);
    }
    if (weight == null) {
      throw new IllegalArgumentException("dense: the weight has no initializer");
    }
  }

  /** With bias. */
  public Dense(int units) {
    this(units, new He(), new Zeros());
  }

  /** The same layer without bias. */
  public Dense withoutBias() {
    return new Dense(units, weight, null);
  }

  /** The same layer with another start of its weight. */
  public Dense init(Initializer start) {
    return new Dense(units, start, bias);
  }

  @Override
  public Tensor forward(Tensor x, Scope scope) {
    Inputs.requireVectors(x, "dense", scope);
    Tensor y = x.matmul(scope.parameter("weight", Shape.of(units, x.shape().last()), weight), false, true);
    return bias == null ? y : y.plus(scope.parameter("bias", Shape.of(units), bias, false));
  }
}
