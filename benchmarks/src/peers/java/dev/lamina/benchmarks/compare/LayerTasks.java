package dev.lamina.benchmarks.compare;

import dev.lamina.benchmarks.Problem;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op;
import dev.lamina.graph.PoolSpec;
import dev.lamina.graph.Tensor;
import java.util.ArrayList;
import java.util.List;

/** What a step does besides convolutions and activations, each forward and backward in one. */
final class LayerTasks {
  private static final double TOLERANCE = 1e-4;

  /** One rounding across the kink of ReLU among 8 M values changes a whole gradient: ten of them are 1e-3. */
  private static final double KINKS = 2e-3;

  private static final int[] IMAGES = {128, 32, 32, 64};
  private static final int[] CHANNELS = {64};
  private static final int ROWS = 4096;
  private static final int CLASSES = 1000;
  private static final int WEIGHTS = 25_000_000;

  private LayerTasks() {}

  static List<Task> all() {
    return List.of(
        new Task.Operations(
            "layer",
            "batch norm + ReLU 128x32²x64",
            KINKS,
            LayerTasks::batchNorm,
            "",
            """
            x1 = torch.requires_grad_(torch.detach(x), True)
            w1 = torch.requires_grad_(torch.detach(w), True)
            b1 = torch.requires_grad_(torch.detach(b), True)
            y = torch.relu(torch.batch_norm(x1, w1, b1, None, None, True, 0.1, 1.0000000000000001e-05, False))
            d = torch.grad([y], [x1, w1, b1], annotate(List[Optional[Tensor]], [g]), None, False, False)
            return (y, unchecked_cast(Tensor, d[0]), unchecked_cast(Tensor, d[1]), unchecked_cast(Tensor, d[2]))\
            """),
        new Task.Operations(
            "layer",
            "max pool 2x2 128x32²x64",
            TOLERANCE,
            LayerTasks::maxPool,
            "",
            """
            y, i = torch.max_pool2d_with_indices(x, [2, 2], [2, 2], [0, 0], [1, 1], False)
            dx = torch.max_pool2d_with_indices_backward(g, x, [2, 2], [2, 2], [0, 0], [1, 1], False, i)
            return (y, dx)\
            """),
        new Task.Operations(
            "layer",
            "softmax cross-entropy 4096x1000",
            TOLERANCE,
            LayerTasks::crossEntropy,
            "",
            """
            x1 = torch.requires_grad_(torch.detach(x), True)
            loss = torch.cross_entropy_loss(x1, labels)
            d = torch.grad([loss], [x1], None, None, False, False)
            return (loss, unchecked_cast(Tensor, d[0]))\
            """),
        new Task.Operations(
            "layer",
            "Adam, 25 M weights",
            TOLERANCE,
            LayerTasks::adam,
            "",
            """
            a = torch.lerp_(m, g, 0.10000000000000001)
            b = torch.addcmul_(torch.mul_(v, 0.999), g, g, value=0.001)
            d = torch.add_(torch.div(torch.sqrt(v), 0.5), 1.0000000000000001e-08)
            c = torch.addcdiv_(w, m, d, value=-0.001)
            return (w, m, v)\
            """));
  }

  private static void batchNorm(Problem p) {
    Tensor x = p.normal("x", 1, IMAGES);
    Tensor w = p.uniform("w", 0.5, 1.5, CHANNELS);
    Tensor b = p.normal("b", 1, CHANNELS);
    Tensor g = p.normal("g", 1, IMAGES);
    Tensor y =
        p.graph()
            .add(new Op.BatchNorm(1e-5), List.of(x, w, b))
            .getFirst()
            .map(v -> Exprs.ifNotPositive(v, Exprs.constant(0), v));
    List<Tensor> gradients = Problem.backward(y, g, List.of(x, w, b));
    outputs(p, y, gradients);
  }

  private static void maxPool(Problem p) {
    Tensor x = p.normal("x", 1, IMAGES);
    Tensor g = p.normal("g", 1, IMAGES[0], IMAGES[1] / 2, IMAGES[2] / 2, IMAGES[3]);
    Tensor y = x.maxPool2d(PoolSpec.tiled(2));
    outputs(p, y, Problem.backward(y, g, List.of(x)));
  }

  private static void crossEntropy(Problem p) {
    Tensor x = p.normal("x", 1, ROWS, CLASSES);
    Tensor labels = p.classes("labels", CLASSES, ROWS);
    Tensor loss = p.graph().one(new Op.SoftmaxCrossEntropy(0), x, labels).mean();
    outputs(p, loss, dev.lamina.graph.Gradients.of(loss, List.of(x)));
  }

  /** Bias corrections are those of a late step, as constants; √(1 − β2ᵗ) is ½. */
  private static void adam(Problem p) {
    Tensor w = p.normal("w", 1, WEIGHTS);
    Tensor g = p.normal("g", 1, WEIGHTS);
    Tensor m = p.normal("m", 1, WEIGHTS);
    Tensor v = p.uniform("v", 0.5, 1, WEIGHTS);
    Expr gradient = Exprs.input(1);
    Expr mean = Exprs.add(Exprs.mul(Exprs.input(0), 0.9), Exprs.mul(gradient, 0.1));
    Expr square = Exprs.add(Exprs.mul(Exprs.input(0), 0.999), Exprs.mul(Exprs.mul(gradient, gradient), 0.001));
    Tensor nextMean = m.map(mean, g);
    Tensor nextSquare = v.map(square, g);
    Expr root = Exprs.add(Exprs.mul(Exprs.sqrt(Exprs.input(2)), 2), 1e-8);
    Expr change = Exprs.mul(Exprs.div(Exprs.input(1), root), 0.001);
    p.assign("w", w.map(Exprs.sub(Exprs.input(0), change), nextMean, nextSquare));
    p.assign("m", nextMean);
    p.assign("v", nextSquare);
  }

  private static void outputs(Problem p, Tensor result, List<Tensor> gradients) {
    p.graph().output("result", result);
    List<Tensor> all = new ArrayList<>(gradients);
    for (int i = 0; i < all.size(); i++) {
      p.graph().output("gradient" + i, all.get(i));
    }
  }
}
