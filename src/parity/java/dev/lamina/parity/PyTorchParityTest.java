package dev.lamina.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.cpu.CpuProvider;
import dev.lamina.device.reference.ReferenceProvider;
import dev.lamina.loss.SoftmaxCrossEntropy;
import dev.lamina.nn.BatchNorm;
import dev.lamina.nn.Conv2d;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Flatten;
import dev.lamina.nn.Layer;
import dev.lamina.nn.MaxPool2d;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.LeakyReLU;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.optim.Adagrad;
import dev.lamina.optim.Adam;
import dev.lamina.optim.AdamW;
import dev.lamina.optim.Momentum;
import dev.lamina.optim.Nesterov;
import dev.lamina.optim.Optimizer;
import dev.lamina.optim.RmsProp;
import dev.lamina.optim.Sgd;
import dev.lamina.parity.TorchOptimizers.TorchOptimizer;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import dev.lamina.train.CompiledModel;
import dev.lamina.train.ModelSpec;
import dev.lamina.train.Precision;
import java.lang.foreign.Arena;
import java.util.SequencedMap;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Ten steps of a network with batch norm beside PyTorch, which computes its own gradients: loss, gradients, weights and
 * running statistics.
 */
@Tag("parity")
class PyTorchParityTest {
  private static final int BATCH = 6;
  private static final int STEPS = 10;
  private static final TensorType IMAGES = TensorType.of(DType.F32, BATCH, 8, 8, 3);

  /** An optimizer here and its namesake there. */
  record Pair(String name, Optimizer ours, double rate, Supplier<TorchOptimizer> theirs) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Layer network() {
    return new Sequential(
        new Conv2d(8, 3).padding(1).withoutBias(),
        new BatchNorm(),
        new ReLU(),
        new MaxPool2d(2),
        new Conv2d(12, 3).stride(2).padding(1).withoutBias(),
        new BatchNorm(),
        new LeakyReLU(0.01),
        new Flatten(),
        new Dense(5));
  }

  static Stream<Pair> optimizers() {
    return Stream.of(
        new Pair("sgd", new Sgd(), 0.1, () -> TorchOptimizers.sgd(0.1, 0, false)),
        new Pair("sgd with L2", new Sgd(1e-2), 0.1, () -> TorchOptimizers.regularised(0.1, 1e-2)),
        new Pair("momentum", new Momentum(0.9), 0.05, () -> TorchOptimizers.sgd(0.05, 0.9, false)),
        new Pair("nesterov", new Nesterov(0.9), 0.05, () -> TorchOptimizers.sgd(0.05, 0.9, true)),
        new Pair("adagrad", new Adagrad(), 0.01, () -> TorchOptimizers.adagrad(0.01, 1e-10)),
        new Pair("rmsprop", new RmsProp(), 0.01, () -> TorchOptimizers.rmsprop(0.01, 0.99, 1e-8)),
        new Pair("adam", new Adam(), 1e-3, () -> TorchOptimizers.adam(1e-3, 0.9, 0.999, 1e-8)),
        new Pair("adamw", new AdamW(), 1e-3, () -> TorchOptimizers.adamW(1e-3, 0.9, 0.999, 1e-8, 1e-2)));
  }

  @ParameterizedTest
  @MethodSource("optimizers")
  void tenStepsInDoubleOnTheReferenceDevice(Pair pair) {
    compare(new ReferenceProvider().open(DeviceOptions.DEFAULT), pair, DType.F64, 1e-8);
  }

  /**
   * Adam and its kin divide by the size of a gradient, so that rounding noise of float becomes a step; they are
   * compared in double only.
   */
  @ParameterizedTest
  @MethodSource("optimizersComparableInFloat")
  void tenStepsInFloatOnTheCpu(Pair pair) {
    compare(new CpuProvider().open(DeviceOptions.DEFAULT), pair, DType.F32, 1e-4);
  }

  static Stream<Pair> optimizersComparableInFloat() {
    return optimizers().limit(4);
  }

  @Test
  void lossAndGradientsInDouble() {
    try (Device device = new ReferenceProvider().open(DeviceOptions.DEFAULT);
        Arena arena = Arena.ofConfined();
        CompiledModel model = compile(device, new Sgd(), DType.F64);
        TorchNetwork torch = new TorchNetwork(model.weights(arena), DType.F64)) {
      HostTensor images = HostTensor.allocate(arena, IMAGES);
      HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, BATCH));
      draw(images, labels, new SplittableRandom(3));
      double loss = torch.backward(images, labels);
      SequencedMap<String, HostTensor> before = model.weights(arena);
      model.update(images, labels, 1);
      assertEquals(loss, model.takeTrainingFigures().loss(), 1e-8);
      SequencedMap<String, HostTensor> after = model.weights(arena);
      // With rate 1 plain descent takes the gradient itself away.
      for (String name : torch.weights().keySet()) {
        double[] gradient = torch.gradient(name);
        for (int i = 0; i < gradient.length; i++) {
          assertEquals(gradient[i], before.get(name).get(i) - after.get(name).get(i), 1e-8, name + " element " + i);
        }
      }
    }
  }

  private static void compare(Device opened, Pair pair, DType dtype, double tolerance) {
    try (Device device = opened;
        Arena arena = Arena.ofConfined();
        CompiledModel model = compile(device, pair.ours, dtype);
        TorchNetwork torch = new TorchNetwork(model.weights(arena), dtype)) {
      HostTensor images = HostTensor.allocate(arena, IMAGES);
      HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, BATCH));
      SplittableRandom random = new SplittableRandom(11);
      TorchOptimizer optimizer = pair.theirs.get();
      double first = 0;
      for (int step = 0; step < STEPS; step++) {
        draw(images, labels, random);
        double loss = torch.backward(images, labels);
        optimizer.step(torch);
        model.update(images, labels, pair.rate);
        assertEquals(loss, model.takeTrainingFigures().loss(), tolerance * Math.max(1, loss), "loss of step " + step);
        first = step == 0 ? loss : first;
      }
      assertTrue(first > 0.5, "the comparison begins with a loss of " + first + ", so it shows nothing");
      model
          .weights(arena)
          .forEach((name, value) -> {
            double[] theirs = torch.values(name);
            // The momentum of running statistics goes to PyTorch as a float.
            double allowed = name.contains("running_") ? Math.max(tolerance, 1e-6) : tolerance;
            for (int i = 0; i < theirs.length; i++) {
              assertEquals(theirs[i], value.get(i), allowed * Math.max(1, Math.abs(theirs[i])), name + " element " + i);
            }
          });
    }
  }

  private static CompiledModel compile(Device device, Optimizer optimizer, DType dtype) {
    TensorType example = TensorType.of(DType.F32, 8, 8, 3);
    Precision precision = dtype == DType.F64 ? Precision.FP64 : Precision.FP32;
    CompiledModel model =
        CompiledModel.compile(
            device,
            ModelSpec.of(network(), example, new SoftmaxCrossEntropy())
                .optimizer(optimizer)
                .batch(BATCH)
                .precision(precision)
                .seed(5)
                .build());
    model.initialise();
    return model;
  }

  private static void draw(HostTensor images, HostTensor labels, SplittableRandom random) {
    for (long i = 0; i < images.size(); i++) {
      images.set(i, random.nextGaussian());
    }
    for (long i = 0; i < labels.size(); i++) {
      labels.set(i, random.nextInt(5));
    }
  }
}
