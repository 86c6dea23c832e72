package dev.lamina.benchmarks;

import dev.lamina.device.Device;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.nn.activation.ReLU;
import java.util.List;
import org.openjdk.jmh.annotations.Param;

/** Batch norm of images in training, with and without the ReLU that follows it. */
public class BatchNormBenchmark extends DeviceBenchmark {
  private static final double EPSILON = 1e-5;

  /** What is normalised. */
  public enum Images {
    /** 3 MiB. */
    IMAGES_28X28X16(64, 28, 16),
    /** 25 MiB. */
    IMAGES_56X56X32(64, 56, 32),
    /** 3 MiB: many channels, few values of each. */
    IMAGES_7X7X256(64, 7, 256);

    private final int batch;
    private final int extent;
    private final int channels;

    Images(int batch, int extent, int channels) {
      this.batch = batch;
      this.extent = extent;
      this.channels = channels;
    }

    private int rows() {
      return batch * extent * extent;
    }
  }

  /** Which part of a training step. */
  public enum Pass {
    FORWARD,
    /** All gradients of a norm without ReLU, and the derivative of the ReLU where there is one. */
    BACKWARD
  }

  @Param public Images images;
  @Param public Pass pass;

  @Param({"false", "true"})
  public boolean relu;

  @Override
  Workload prepare(Device on) {
    long elements = (long) images.rows() * images.channels;
    return new GraphWorkload(on, new Definition(this::build, elements, Math.sqrt(images.rows())));
  }

  private void build(Problem problem) {
    int channels = images.channels;
    Tensor x = image(problem, "x");
    Tensor gamma = problem.uniform("gamma", 0.9, 1.1, channels);
    switch (pass) {
      case FORWARD -> {
        List<Tensor> norm =
            problem.graph().add(new Op.BatchNorm(EPSILON), List.of(x, gamma, problem.normal("beta", 0.1, channels)));
        problem.graph().output("y", relu ? problem.through(new ReLU(), norm.getFirst()) : norm.getFirst());
        problem.graph().output("mean", norm.get(1));
        problem.graph().output("invStd", norm.get(3));
      }
      case BACKWARD -> {
        Tensor mean = problem.normal("mean", 0.1, channels);
        Tensor invStd = problem.uniform("invStd", 0.9, 1.1, channels);
        Tensor dy = image(problem, "dy");
        if (relu) {
          // ReLU's derivative needs its output alone, which training keeps for the layer behind it.
          Tensor before = image(problem, "y");
          dy = Problem.backward(problem.through(new ReLU(), before), dy, List.of(before)).getFirst();
        }
        List<Tensor> gradients = problem.graph().add(new Op.BatchNormGradient(), List.of(x, gamma, mean, invStd, dy));
        problem.graph().output("dx", gradients.get(0));
        problem.graph().output("dgamma", gradients.get(1));
        problem.graph().output("dbeta", gradients.get(2));
      }
    }
  }

  private Tensor image(Problem problem, String name) {
    return problem.normal(name, 1, images.batch, images.extent, images.extent, images.channels);
  }
}
