package dev.lamina.benchmarks.compare;

import dev.lamina.benchmarks.Problem;
import dev.lamina.nn.Layer;
import dev.lamina.optim.Optimizer;
import dev.lamina.tensor.Shape;
import java.util.function.Consumer;

/** Something that Lamina and a peer both do, on the same numbers. */
sealed interface Task {

  /** Which others it is compared with in a mean: {@code conv}, {@code activation}. */
  String group();

  /** Within the group. */
  String name();

  /** How far results may lie apart, as a share of their root mean square. */
  double tolerance();

  /**
   * A few operations.
   *
   * @param problem operands and graph for Lamina
   * @param saved an expression over the operands that the peer has from a pass before, {@code saved} in its statements;
   *     empty for none
   * @param torch the same in TorchScript: statements over the operands by their names, images NCHW and filters OIHW,
   *     the last one a {@code return} of the outputs in their order
   */
  record Operations(String group, String name, double tolerance, Consumer<Problem> problem, String saved, String torch)
      implements Task {}

  /**
   * One step of training: forward, backward, update.
   *
   * @param example an image, [h,w,c]
   */
  record Training(
      String name, double tolerance, Layer network, Shape example, int classes, int batch, Optimizer optimizer)
      implements Task {
    @Override
    public String group() {
      return "step";
    }
  }

  /**
   * From images to probabilities.
   *
   * @param example an image, [h,w,c]
   */
  record Inference(String name, double tolerance, Layer network, Shape example, int classes, int batch)
      implements Task {
    @Override
    public String group() {
      return "inference";
    }
  }
}
