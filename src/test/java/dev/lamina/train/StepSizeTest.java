package dev.lamina.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.device.cuda.CudaKernels;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Node;
import dev.lamina.graph.Node.Phase;
import dev.lamina.graph.Op;
import dev.lamina.graph.Variable;
import dev.lamina.graph.passes.Passes;
import dev.lamina.loss.SoftmaxCrossEntropy;
import dev.lamina.nn.Parameters;
import dev.lamina.nn.models.Architectures;
import dev.lamina.optim.Momentum;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a GPU has to start in one step: small networks take as long as their launches. */
class StepSizeTest {
  private final CudaKernels kernels = new CudaKernels();

  private boolean runsOnGpu(Op op, List<TensorType> types) {
    return switch (op) {
      case Op.MatMul _, Op.Conv2d _, Op.Conv2dInputGradient _, Op.Conv2dFilterGradient _ -> true;
      default -> kernels.unsupported(op, types).isEmpty();
    };
  }

  /** The kernels of a step, in the order of the graph. */
  private List<Node> step(String network, Shape image, Precision precision) {
    var half = Collections.nCopies(image.last(), 0.5);
    var spec =
        ModelSpec.of(
                Architectures.create(network, 10, image), new TensorType(image, DType.U8), new SoftmaxCrossEntropy())
            .preparation(new InputScaling(1 / 255.0, half, half))
            .optimizer(new Momentum())
            .batch(128)
            .precision(precision)
            .seed(1)
            .build();
    TrainingGraph.Built built = TrainingGraph.updating(new ModelTrace(spec, new Parameters()));
    List<Variable> packs = built.variables().stream().filter(variable -> !variable.members().isEmpty()).toList();
    Graph graph = Passes.optimise(built.graph(), this::runsOnGpu, packs);
    return graph.nodes().stream()
        .filter(node ->
            switch (node.op()) {
              case Op.Input _, Op.Read _, Op.Reshape _, Op.Slice _ -> false;
              default -> true;
            })
        .toList();
  }

  private static long maps(List<Node> step, Phase phase) {
    return step.stream().filter(node -> node.phase() == phase && node.op() instanceof Op.Map).count();
  }

  @Test
  void mixedPrecisionAddsTwoKernelsToAStep() {
    Shape image = Shape.of(32, 32, 3);
    List<Node> narrow = step("resnet20", image, Precision.BF16);
    List<Node> wide = step("resnet20", image, Precision.TF32);
    // One cast of all weights, one of the loss's gradient.
    assertEquals(wide.size() + 2, narrow.size());
  }

  @Test
  void anUpdateIsAHandfulOfKernelsHoweverManyLayersThereAre() {
    // Two ranges of weights; statistics of 16, 32 and 64 channels; the norm and two guards; counters, sums.
    assertTrue(maps(step("resnet20", Shape.of(32, 32, 3), Precision.BF16), Phase.UPDATE) <= 10);
  }

  @Test
  void mapsOfResNetAreTheShortcutsAlone() {
    List<Node> step = step("resnet20", Shape.of(32, 32, 3), Precision.BF16);
    // Scaling of the images, the cast of all weights, the bias of the last layer: sums and activations ride on norms.
    assertEquals(3, maps(step, Phase.FORWARD));
    // One for each of the nine residual sums, the pool's gradient, the cast of the loss's gradient.
    assertEquals(11, maps(step, Phase.BACKWARD));
  }
}
