package dev.lamina.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.conformance.Conformance;
import dev.lamina.device.Device;
import dev.lamina.loss.SoftmaxCrossEntropy;
import dev.lamina.nn.BatchNorm;
import dev.lamina.nn.Conv2d;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Flatten;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.optim.Regularisation;
import dev.lamina.optim.Sgd;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class RegularisationTest {
  private static final int BATCH = 4;
  private static final double RATE = 0.5;
  private static final TensorType IMAGE = TensorType.f32(5, 5, 2);

  private static final Layer LAYERS =
      new Sequential(new Conv2d(3, 3), new BatchNorm(), new ReLU(), new Flatten(), new Dense(4));

  @TestFactory
  Stream<DynamicTest> l1TakesTheSameFromEachWeightAndNothingFromOthers() {
    return onEachDevice(RegularisationTest::l1);
  }

  @TestFactory
  Stream<DynamicTest> noUnitsWeightsAreLongerThanTheMaxNorm() {
    return onEachDevice(RegularisationTest::maxNorm);
  }

  private interface Check {
    void on(Device device, Arena arena);
  }

  private static Stream<DynamicTest> onEachDevice(Check check) {
    return Conformance.onEachDevice(provider -> {
      try (Arena arena = Arena.ofShared();
          Device device = Conformance.open(provider)) {
        check.on(device, arena);
      }
    });
  }

  private static void l1(Device device, Arena arena) {
    double l1 = 0.01;
    Map<String, HostTensor> before = afterUpdate(device, arena, null, 0);
    Map<String, HostTensor> plain = afterUpdate(device, arena, null, 1);
    Map<String, HostTensor> held = afterUpdate(device, arena, new Regularisation(l1, 0), 1);
    plain.forEach((name, weight) -> {
      boolean decayed = weight.shape().rank() > 1;
      for (long i = 0; i < weight.size(); i++) {
        double taken = decayed ? RATE * l1 * Math.signum(before.get(name).get(i)) : 0;
        assertEquals(weight.get(i) - taken, held.get(name).get(i), 1e-6, name);
      }
    });
  }

  private static void maxNorm(Device device, Arena arena) {
    double bound = 1.4; // about what He gives: the square root of 2
    Map<String, HostTensor> plain = afterUpdate(device, arena, null, 1);
    Map<String, HostTensor> held = afterUpdate(device, arena, new Regularisation(0, bound), 1);
    int shortened = 0;
    int kept = 0;
    for (Map.Entry<String, HostTensor> entry : plain.entrySet()) {
      HostTensor weight = entry.getValue();
      int units = weight.shape().dim(0);
      long each = weight.size() / units;
      for (int unit = 0; unit < units; unit++) {
        double squares = 0;
        for (long i = 0; i < each; i++) {
          squares += weight.get(unit * each + i) * weight.get(unit * each + i);
        }
        double scale = weight.shape().rank() > 1 ? Math.min(1, bound / Math.sqrt(squares)) : 1;
        shortened += scale < 1 ? 1 : 0;
        kept += scale == 1 && weight.shape().rank() > 1 ? 1 : 0;
        for (long i = 0; i < each; i++) {
          assertEquals(
              scale * weight.get(unit * each + i), held.get(entry.getKey()).get(unit * each + i), 1e-6, entry.getKey());
        }
      }
    }
    assertTrue(shortened > 0 && kept > 0, "the test needs both: " + shortened + " and " + kept);
  }

  private static Map<String, HostTensor> afterUpdate(
      Device device, Arena arena, Regularisation regularisation, int updates) {
    ModelSpec spec =
        ModelSpec.of(LAYERS, IMAGE, new SoftmaxCrossEntropy())
            .optimizer(new Sgd())
            .batch(BATCH)
            .precision(Precision.FP32)
            .seed(3)
            .regularisation(regularisation)
            .build();
    SplittableRandom random = new SplittableRandom(1);
    HostTensor images = HostTensor.allocate(arena, TensorType.f32(BATCH, 5, 5, 2));
    for (long i = 0; i < images.size(); i++) {
      images.set(i, random.nextGaussian());
    }
    HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, BATCH));
    labels.set(1, 3);
    try (CompiledModel model = CompiledModel.compile(device, spec)) {
      model.initialise();
      for (int i = 0; i < updates; i++) {
        model.update(images, labels, RATE);
      }
      return model.weights(arena);
    }
  }

  @Test
  void boundsBelowZeroAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new Regularisation(-1, 0));
    assertThrows(IllegalArgumentException.class, () -> new Regularisation(0, Double.NaN));
  }
}
