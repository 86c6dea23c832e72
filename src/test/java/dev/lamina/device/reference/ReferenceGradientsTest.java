package dev.lamina.device.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lamina.conformance.RunOp;
import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Op;
import dev.lamina.graph.Padding;
import dev.lamina.graph.PoolSpec;
import dev.lamina.graph.Size;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The operations that are gradients, held against central differences of their forward operation in double: with L = Σ
 * g·y, dL/dx ≈ (L(x + h) − L(x − h)) / 2h.
 */
class ReferenceGradientsTest {
  /** The cube root of ε, where truncation (h²) and cancellation (ε/h) are of one size, about 4e-11. */
  private static final double STEP = Math.cbrt(Math.ulp(1.0));

  /** That size, times the third derivatives and sums of the cases here, which stay below 100. */
  private static final double TOLERANCE = 100 * STEP * STEP;

  private final ReferenceDevice device = new ReferenceDevice();
  private final Arena arena = Arena.ofConfined();
  private final Random random = new Random(20);

  @AfterEach
  void close() {
    device.close();
    arena.close();
  }

  record Geometry(ConvSpec spec, Shape image, Shape filter) {}

  static List<Geometry> convolutions() {
    Size one = Size.square(1);
    return List.of(
        new Geometry(ConvSpec.PLAIN, Shape.of(2, 4, 5, 3), Shape.of(2, 3, 3, 3)),
        new Geometry(new ConvSpec(one, Padding.all(1), one, 1), Shape.of(1, 4, 4, 2), Shape.of(3, 3, 3, 2)),
        new Geometry(
            new ConvSpec(new Size(2, 3), new Padding(2, 0, 1, 3), one, 1), Shape.of(2, 5, 6, 2), Shape.of(2, 3, 2, 2)),
        new Geometry(new ConvSpec(one, Padding.all(2), new Size(2, 3), 2), Shape.of(1, 6, 5, 4), Shape.of(6, 3, 2, 2)),
        new Geometry(new ConvSpec(Size.square(2), Padding.all(1), one, 3), Shape.of(2, 5, 5, 3), Shape.of(3, 3, 3, 1)));
  }

  @ParameterizedTest
  @MethodSource("convolutions")
  void convolution(Geometry geometry) {
    HostTensor image = random(geometry.image);
    HostTensor filter = random(geometry.filter);
    Op forward = new Op.Conv2d(geometry.spec);
    HostTensor g = like(forward, image, filter);
    compare(
        new Op.Conv2dInputGradient(geometry.spec, geometry.image),
        List.of(g, filter),
        0,
        forward,
        g,
        List.of(image, filter),
        0);
    compare(
        new Op.Conv2dFilterGradient(geometry.spec, geometry.filter),
        List.of(image, g),
        0,
        forward,
        g,
        List.of(image, filter),
        1);
  }

  @Test
  void averagePool() {
    var spec = new PoolSpec(new Size(3, 2), new Size(2, 1), new Padding(1, 2, 1, 0));
    HostTensor image = random(Shape.of(2, 5, 4, 3));
    Op forward = new Op.Pool2d(Op.PoolKind.AVERAGE, spec);
    HostTensor g = like(forward, image);
    compare(
        new Op.Pool2dGradient(Op.PoolKind.AVERAGE, spec, image.shape()), List.of(g), 0, forward, g, List.of(image), 0);
  }

  @Test
  void maxPoolOfDistinctValues() {
    var spec = new PoolSpec(new Size(3, 2), new Size(2, 1), new Padding(1, 2, 1, 0));
    HostTensor image = random(Shape.of(2, 5, 4, 3));
    Op forward = new Op.Pool2d(Op.PoolKind.MAX, spec);
    HostTensor winners = RunOp.run(device, arena, forward, List.of(image)).get(1);
    HostTensor g = like(forward, image);
    compare(
        new Op.Pool2dGradient(Op.PoolKind.MAX, spec, image.shape()),
        List.of(g, winners),
        0,
        forward,
        g,
        List.of(image),
        0);
  }

  @Test
  void batchNorm() {
    HostTensor x = random(Shape.of(3, 2, 2, 3));
    HostTensor gamma = random(Shape.of(3));
    HostTensor beta = random(Shape.of(3));
    Op forward = new Op.BatchNorm(1e-5);
    List<HostTensor> out = RunOp.run(device, arena, forward, List.of(x, gamma, beta));
    HostTensor g = like(forward, x, gamma, beta);
    for (int i = 0; i < 3; i++) {
      compare(
          new Op.BatchNormGradient(),
          List.of(x, gamma, out.get(1), out.get(3), g),
          i,
          forward,
          g,
          List.of(x, gamma, beta),
          i);
    }
  }

  @ParameterizedTest
  @MethodSource("smoothings")
  void crossEntropy(double smoothing) {
    HostTensor logits = random(Shape.of(3, 5));
    HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, 3));
    labels.set(1, 4);
    HostTensor distributions = random(Shape.of(3, 5));
    Op forward = new Op.SoftmaxCrossEntropy(smoothing);
    for (HostTensor target : List.of(labels, distributions)) {
      HostTensor g = like(forward, logits, target);
      compare(
          new Op.SoftmaxCrossEntropyGradient(smoothing),
          List.of(logits, target, g),
          0,
          forward,
          g,
          List.of(logits, target),
          0);
    }
  }

  static List<Double> smoothings() {
    return List.of(0.0, 0.1);
  }

  /** Output {@code result} of {@code gradient} against differences of {@code forward} in its input {@code variable}. */
  private void compare(
      Op gradient,
      List<HostTensor> gradientInputs,
      int result,
      Op forward,
      HostTensor g,
      List<HostTensor> inputs,
      int variable) {
    HostTensor got = RunOp.run(device, arena, gradient, gradientInputs).get(result);
    List<HostTensor> moved = new ArrayList<>(inputs);
    HostTensor x = HostTensor.allocate(arena, inputs.get(variable).type()).copyFrom(inputs.get(variable));
    moved.set(variable, x);
    for (int i = 0; i < x.size(); i++) {
      double at = x.get(i);
      x.set(i, at + STEP);
      double above = loss(forward, moved, g);
      x.set(i, at - STEP);
      double below = loss(forward, moved, g);
      x.set(i, at);
      assertEquals((above - below) / (2 * STEP), got.get(i), TOLERANCE, gradient + " element " + i);
    }
  }

  private double loss(Op forward, List<HostTensor> inputs, HostTensor g) {
    HostTensor y = RunOp.run(device, arena, forward, inputs).getFirst();
    double sum = 0;
    for (int i = 0; i < y.size(); i++) {
      sum += g.get(i) * y.get(i);
    }
    return sum;
  }

  /** A random gradient for the first output of {@code forward}. */
  private HostTensor like(Op forward, HostTensor... inputs) {
    return random(RunOp.run(device, arena, forward, inputs).shape());
  }

  private HostTensor random(Shape shape) {
    HostTensor tensor = HostTensor.allocate(arena, new TensorType(shape, DType.F64));
    for (int i = 0; i < tensor.size(); i++) {
      tensor.set(i, random.nextDouble() * 2 - 1);
    }
    return tensor;
  }
}
