package dev.lamina.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceProvider;
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
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.activation.SiLU;
import dev.lamina.optim.AdamW;
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

/** A step that was recorded and is replayed is, to the bit, the one whose kernels are started one by one. */
class ReplayConformanceTest {
  /** Fewer on the emulator, where each takes a tenth of a second; the suite says with a property that it is one. */
  private static final int REPLAYS =
      Boolean.getBoolean("lamina.test.emulated") || Boolean.getBoolean("lamina.test.slow") ? 10 : 100;

  private static final int BATCH = 4;
  private static final int SIDE = 8;
  private static final TensorType IMAGES = TensorType.of(DType.U8, BATCH, SIDE, SIDE, 3);

  private static Layer model() {
    return new Sequential(
        new Conv2d(8, 3).same().withoutBias(),
        new BatchNorm(),
        new ReLU(),
        new Residual(new Sequential(new Conv2d(8, 3).same().withoutBias(), new BatchNorm())),
        new SiLU(),
        new MaxPool2d(2),
        new Flatten(),
        new Dropout(0.25),
        new Dense(5));
  }

  private static CompiledModel compile(Device device, Precision precision) {
    var scaling = new InputScaling(1 / 255.0, List.of(0.5, 0.4, 0.5), List.of(0.25, 0.3, 0.25));
    TensorType example = TensorType.of(DType.U8, SIDE, SIDE, 3);
    var spec =
        ModelSpec.of(model(), example, new SoftmaxCrossEntropy())
            .preparation(scaling)
            .optimizer(new AdamW())
            .batch(BATCH)
            .precision(precision)
            .seed(7)
            .build();
    CompiledModel compiled = CompiledModel.compile(device, spec);
    compiled.initialise();
    return compiled;
  }

  @TestFactory
  Stream<DynamicTest> replaysAreTheStepsThemselves() {
    return Conformance.devices().stream()
        .flatMap(provider ->
            Stream.of(Precision.TF32, Precision.BF16)
                .filter(precision -> precision == Precision.TF32 || provider.name().equals("cuda"))
                .map(precision ->
                    DynamicTest.dynamicTest(provider.name() + ", " + precision, () -> on(provider, precision))));
  }

  private static void on(DeviceProvider provider, Precision precision) {
    try (Device device = Conformance.open(provider);
        Arena arena = Arena.ofShared();
        CompiledModel replayed = compile(device, precision);
        CompiledModel started = compile(new Unrecorded(device), precision)) {
      HostTensor images = device.allocateHost(IMAGES);
      HostTensor labels = device.allocateHost(TensorType.of(DType.I32, BATCH));
      var random = new SplittableRandom(5);
      // The first step of a recording device is not a replay yet, and the second is the recording's first.
      for (int step = 0; step <= REPLAYS; step++) {
        for (long i = 0; i < images.size(); i++) {
          images.set(i, random.nextInt(256));
        }
        for (int i = 0; i < BATCH; i++) {
          labels.set(i, random.nextInt(5));
        }
        replayed.update(images, labels, 0.002);
        started.update(images, labels, 0.002);
        device.synchronize();
      }
      assertEquals(REPLAYS + 1, replayed.steps());
      assertEquals(-1, replayed.badStep());
      same(replayed.state(arena), started.state(arena));
      assertEquals(started.takeTrainingFigures().loss(), replayed.takeTrainingFigures().loss());
    }
  }

  private static void same(Map<String, HostTensor> got, Map<String, HostTensor> expected) {
    assertEquals(expected.keySet(), got.keySet());
    expected.forEach((name, tensor) ->
        assertEquals(-1, tensor.segment().mismatch(got.get(name).segment()), name + " differs, from this byte on"));
  }
}
