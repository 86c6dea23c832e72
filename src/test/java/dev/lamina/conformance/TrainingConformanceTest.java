package dev.lamina.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceProvider;
import dev.lamina.device.reference.ReferenceDevice;
import dev.lamina.loss.SoftmaxCrossEntropy;
import dev.lamina.nn.BatchNorm;
import dev.lamina.nn.Conv2d;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Dropout;
import dev.lamina.nn.Flatten;
import dev.lamina.nn.Layer;
import dev.lamina.nn.MaxPool2d;
import dev.lamina.nn.Residual;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.GELU;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.optim.Momentum;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import dev.lamina.train.CompiledModel;
import dev.lamina.train.InputScaling;
import dev.lamina.train.ModelSpec;
import dev.lamina.train.Precision;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Whole training steps, recorded and replayed where a device does that, against the reference device. */
class TrainingConformanceTest {
  private static final int BATCH = 6;
  private static final int STEPS = 8;
  private static final TensorType EXAMPLE = TensorType.of(DType.U8, 9, 9, 2);

  /** What goes wrong in one step grows in the next: momentum, batch statistics and dropout all carry over. */
  private static Layer model() {
    return new Sequential(
        new Conv2d(8, 3).same().withoutBias(),
        new BatchNorm(),
        new ReLU(),
        new Residual(new Sequential(new Conv2d(8, 3).same(), new BatchNorm())),
        new ReLU(),
        new Conv2d(8, 3).padding(1).groups(8),
        new GELU(),
        new MaxPool2d(2),
        new Flatten(),
        new Dropout(0.25),
        new Dense(5));
  }

  private static CompiledModel compile(Device device, Precision precision) {
    var scaling = new InputScaling(1 / 255.0, List.of(0.5, 0.4), List.of(0.25, 0.3));
    var spec =
        ModelSpec.of(model(), EXAMPLE, new SoftmaxCrossEntropy())
            .preparation(scaling)
            .optimizer(new Momentum())
            .batch(BATCH)
            .precision(precision)
            .seed(11)
            .build();
    CompiledModel compiled = CompiledModel.compile(device, spec);
    compiled.initialise();
    return compiled;
  }

  @TestFactory
  Stream<DynamicTest> weightsAfterSomeStepsAreThoseOfTheReference() {
    return Conformance.onEachDevice(TrainingConformanceTest::on);
  }

  private static void on(DeviceProvider provider) {
    try (Device device = Conformance.open(provider);
        Device oracle = new ReferenceDevice();
        Arena arena = Arena.ofShared();
        CompiledModel fast = compile(device, Precision.FP32);
        CompiledModel exact = compile(oracle, Precision.FP32)) {
      HostTensor[] batches = new HostTensor[2];
      HostTensor[] targets = new HostTensor[2];
      for (int i = 0; i < 2; i++) {
        batches[i] = device.allocateHost(TensorType.of(DType.U8, BATCH, 9, 9, 2));
        targets[i] = device.allocateHost(TensorType.of(DType.I32, BATCH));
      }
      SplittableRandom random = new SplittableRandom(3);
      // Nobody waits for a step: the next one's inputs are copied while it runs, and must not reach it.
      for (int step = 0; step < STEPS; step++) {
        HostTensor images = batches[step % 2];
        HostTensor labels = targets[step % 2];
        for (long i = 0; i < images.size(); i++) {
          images.set(i, random.nextInt(256));
        }
        for (int i = 0; i < BATCH; i++) {
          labels.set(i, random.nextInt(5));
        }
        fast.update(images, labels, 0.05);
        exact.update(images, labels, 0.05);
      }
      compare(fast.weights(arena), exact.weights(arena));
    }
  }

  private static void compare(Map<String, HostTensor> got, Map<String, HostTensor> expected) {
    assertEquals(expected.keySet(), got.keySet());
    expected.forEach((name, tensor) -> {
      double largest = 0;
      double worst = 0;
      for (long i = 0; i < tensor.size(); i++) {
        largest = Math.max(largest, Math.abs(tensor.get(i)));
        worst = Math.max(worst, Math.abs(tensor.get(i) - got.get(name).get(i)));
      }
      double share = worst / Math.max(largest, 1e-3);
      assertTrue(share < 1e-3, name + " is off by " + share + " of its largest element");
    });
  }
}
