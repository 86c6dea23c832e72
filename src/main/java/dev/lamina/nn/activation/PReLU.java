package dev.lamina.nn.activation;

import dev.lamina.graph.Exprs;
import dev.lamina.graph.Tensor;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Scope;
import dev.lamina.nn.init.Constant;
import dev.lamina.tensor.Shape;

/**
 * {@code x > 0 ? x : weight·x} with a learned slope (He et al. 2015). Parameter: {@code weight} [c], or [1] if the
 * slope is shared. Weight decay leaves it alone: it would draw the slope to a ReLU's 0.
 *
 * @param perChannel a slope for each channel (the last dimension), or one for all
 * @param start the slope before training; 0.25
 */
public record PReLU(boolean perChannel, double start) implements Layer {
  public PReLU {
    if (!Double.isFinite(start)) {
      throw new IllegalArgumentException("prelu: expected a finite start, got " + start);
    }
  }

  /** One slope, 0.25 at the start: PyTorch's defaults. */
  public PReLU() {
    this(false);
  }

  /** 0.25 at the start. */
  public PReLU(boolean perChannel) {
    this(perChannel, 0.25);
  }

  @Override
  public Tensor forward(Tensor x, Scope scope) {
    Tensor slope = scope.parameter("weight", Shape.of(perChannel ? x.shape().last() : 1), new Constant(start), false);
    return x.map((v, s) -> Exprs.ifNotPositive(v, Exprs.mul(v, s), v), slope);
  }
}
