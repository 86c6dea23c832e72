package dev.lamina.benchmarks;

import dev.lamina.device.Device;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.openjdk.jmh.annotations.Param;

/**
 * Every activation on rows of {@value Footprint#CHANNELS} channels: alone, or behind a batch norm, with which a device
 * may fuse it.
 */
public class ActivationBenchmark extends DeviceBenchmark {
  private static final double EPSILON = 1e-5;

  /** Which part of a training step. */
  public enum Direction {
    FORWARD,
    /** The gradients of input and parameters, from the input and the gradient of the output. */
    BACKWARD
  }

  /** What stands in front. */
  public enum Neighbour {
    ALONE,
    BATCH_NORM
  }

  /** What the activation sees. */
  public enum Input {
    /** Deviation 1. */
    NORMAL(1),
    /** Deviation 50: nine values in ten lie where curves are flat, functions overflow and underflow. */
    SATURATED(50);

    private final double deviation;

    Input(double deviation) {
      this.deviation = deviation;
    }
  }

  @Param public Footprint size;
  @Param public Input input;
  @Param public Direction direction;
  @Param public Neighbour neighbour;
  @Param public ActivationKind activation;

  @Override
  Workload prepare(Device on) {
    // Sums over a batch are there behind a batch norm, and in the gradients of parameters.
    boolean sums = neighbour == Neighbour.BATCH_NORM || direction == Direction.BACKWARD;
    double sensitivity = activation.sumLength() * input.deviation * (sums ? Math.sqrt(size.rows()) : 1);
    return new GraphWorkload(on, new Definition(this::build, size.elements(), sensitivity));
  }

  private void build(Problem problem) {
    boolean alone = neighbour == Neighbour.ALONE;
    Tensor x = problem.normal("x", alone ? input.deviation : 1, size.rows(), Footprint.CHANNELS);
    switch (direction) {
      case FORWARD -> forward(problem, x);
      case BACKWARD -> {
        Tensor dy = problem.normal("dy", 1, size.rows(), Footprint.CHANNELS);
        if (alone) {
          output(problem, Definition.RESULT, gradients(problem, x, dy));
        } else {
          backwardThroughNorm(problem, x, dy);
        }
      }
    }
  }

  private void forward(Problem problem, Tensor x) {
    if (neighbour == Neighbour.ALONE) {
      problem.graph().output(Definition.RESULT, problem.through(activation.layer(), x));
    } else {
      Tensor normalised =
          problem.graph().add(new Op.BatchNorm(EPSILON), List.of(x, gamma(problem), beta(problem))).getFirst();
      problem.graph().output("fused", problem.through(activation.layer(), normalised));
    }
  }

  /** As in training: the input, its mean and deviation are kept; what the activation saw is computed again. */
  private void backwardThroughNorm(Problem problem, Tensor x, Tensor dy) {
    Tensor gamma = gamma(problem);
    Tensor mean = problem.normal("mean", 0.1, Footprint.CHANNELS);
    Tensor invStd = problem.uniform("invStd", 0.9, 1.1, Footprint.CHANNELS);
    Expr centred = Exprs.sub(Exprs.input(0), Exprs.input(1));
    Expr scaled = Exprs.mul(Exprs.mul(centred, Exprs.input(2)), Exprs.input(3));
    Tensor normalised = x.map(Exprs.add(scaled, Exprs.input(4)), mean, invStd, gamma, beta(problem));
    List<Tensor> gradients = new ArrayList<>(gradients(problem, normalised, dy));
    Tensor dNormalised = gradients.removeFirst();
    gradients.addAll(problem.graph().add(new Op.BatchNormGradient(), List.of(x, gamma, mean, invStd, dNormalised)));
    output(problem, "fused", gradients);
  }

  /** The gradient of {@code x}, then those of the activation's parameters. */
  private List<Tensor> gradients(Problem problem, Tensor x, Tensor dy) {
    Tensor y = problem.through(activation.layer(), x);
    List<Tensor> inputs = new ArrayList<>(List.of(x));
    inputs.addAll(problem.learned());
    return Problem.backward(y, dy, inputs);
  }

  private static void output(Problem problem, String first, List<Tensor> tensors) {
    for (int i = 0; i < tensors.size(); i++) {
      problem.graph().output(i == 0 ? first : "gradient" + i, tensors.get(i));
    }
  }

  private Tensor gamma(Problem problem) {
    double deviation = input.deviation;
    return problem.uniform("gamma", 0.9 * deviation, 1.1 * deviation, Footprint.CHANNELS);
  }

  private static Tensor beta(Problem problem) {
    return problem.normal("beta", 0.1, Footprint.CHANNELS);
  }
}
