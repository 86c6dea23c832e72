package dev.lamina.nn;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.nn.init.Constant;
import dev.lamina.nn.init.Initializer;
import dev.lamina.nn.init.Zeros;
import dev.lamina.tensor.Shape;
import java.util.List;

/**
 * Batch normalisation (Ioffe and Szegedy 2015): each channel is brought to mean 0 and variance 1 over the batch (and
 * over the image), then scaled and shifted by what is learned: {@code y = γ·(x − E) / √(Var + ε) + β}. Takes vectors
 * [n,c] and images [n,h,w,c].
 *
 * <p>Training uses the batch's mean and biased variance; evaluation the running ones, which follow as {@code r ← (1 −
 * momentum)·r + momentum·batch} with the unbiased variance, n / (n − 1) times the biased: PyTorch's definitions and
 * defaults ({@code BatchNorm2d}). Parameters: {@code weight} γ [c], {@code bias} β [c]; weight decay leaves them alone.
 * Statistics: {@code running_mean} [c] from 0, {@code running_var} [c] from 1.
 *
 * @param epsilon keeps a channel without variance from dividing by 0; 1e-5
 * @param momentum weight of the new batch in the running statistics; 0.1
 * @param weight fills γ; ones. Zeros in the last norm of a residual body let it begin as the identity (Goyal et al.
 *     2017)
 * @param bias fills β; zeros
 */
public record BatchNorm(double epsilon, double momentum, Initializer weight, Initializer bias) implements Layer {
  public BatchNorm {
    if (!(epsilon > 0)) {
      throw new IllegalArgumentException("batchnorm: expected an epsilon above 0, got " + epsilon);
    }
    if (!(momentum >= 0 && momentum <= 1)) {
      throw new IllegalArgumentException("batchnorm: expected a momentum from 0 to 1, got " + momentum);
    }
    if (weight == null || bias == null) {
      throw new IllegalArgumentException("batchnorm: weight and bias need an initializer");
    }
  }

  /** ε 1e-5, momentum 0.1, γ 1, β 0. */
  public BatchNorm() {
    this(1e-5, 0.1);
  }

  /** γ 1, β 0. */
  public BatchNorm(double epsilon, double momentum) {
    this(epsilon, momentum, new Constant(1), new Zeros());
  }

  @Override
  public Tensor forward(Tensor x, Scope scope) {
    if (x.shape().rank() < 2) {
      throw Inputs.refuse("batchnorm", "expected vectors [n,c] or images [n,h,w,c], got " + x.shape(), scope);
    }
    Shape channel = Shape.of(x.shape().last());
    Tensor gamma = scope.parameter("weight", channel, weight, false);
    Tensor beta = scope.parameter("bias", channel, bias, false);
    Tensor runningMean = scope.statistic("running_mean", channel, new Zeros());
    Tensor runningVariance = scope.statistic("running_var", channel, new Constant(1));
    return scope.training()
        ? overBatch(x, gamma, beta, runningMean, runningVariance, scope)
        : overAll(x, gamma, beta, runningMean, runningVariance);
  }

  private Tensor overBatch(
      Tensor x, Tensor gamma, Tensor beta, Tensor runningMean, Tensor runningVariance, Scope scope) {
    double n = x.shape().size() / (double) x.shape().last();
    if (n < 2) {
      throw Inputs.refuse(
          "batchnorm",
          "expected more than one value for each channel in training, got " + x.shape() + "; use a larger batch",
          scope);
    }
    List<Tensor> results = x.graph().add(new Op.BatchNorm(epsilon), List.of(x, gamma, beta));
    scope.follow(runningMean, results.get(1), 1, momentum);
    scope.follow(runningVariance, results.get(2), n / (n - 1), momentum);
    return results.getFirst();
  }

  private Tensor overAll(Tensor x, Tensor gamma, Tensor beta, Tensor mean, Tensor variance) {
    // The root is taken once for each channel, not for each element.
    Tensor scale = gamma.map((g, v) -> Exprs.div(g, Exprs.sqrt(Exprs.add(v, epsilon))), variance);
    Expr normalised = Exprs.mul(Exprs.sub(Exprs.input(0), Exprs.input(1)), Exprs.input(2));
    return x.map(Exprs.add(normalised, Exprs.input(3)), mean, scale, beta);
  }
}
