package dev.lamina.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceProvider;
import dev.lamina.device.MemoryLimit;
import dev.lamina.device.OutOfDeviceMemoryException;
import dev.lamina.loss.SoftmaxCrossEntropy;
import dev.lamina.nn.BatchNorm;
import dev.lamina.nn.Conv2d;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Flatten;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.optim.Momentum;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;
import dev.lamina.train.CompiledModel;
import dev.lamina.train.ModelSpec;
import dev.lamina.train.Precision;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** A training that does not fit is refused before anything of it is tried, with one that does. */
class MemoryConformanceTest {
  /** Above the 32 MiB that cuBLAS has on a GPU, so little that what fits is quickly tried on an emulated one too. */
  private static final long LIMIT = 36L << 20;

  /** Some tens of GiB, which no test could try. */
  private static final int BATCH = 1 << 20;

  private static final Pattern ADVICE =
      Pattern.compile(
          "batch %d needs [\\d.]+ GiB, the device has [\\d.]+ MiB to give; batch (\\d+) fits, and batch (\\d+) with"
                  .formatted(BATCH)
              + " --accumulate (\\d+) for updates by as many examples");

  private static ModelSpec spec(int batch, int accumulate) {
    return ModelSpec.of(
            new Sequential(new Conv2d(8, 3).same(), new BatchNorm(), new ReLU(), new Flatten(), new Dense(5)),
            TensorType.of(DType.U8, 9, 9, 2),
            new SoftmaxCrossEntropy())
        .optimizer(new Momentum())
        .batch(batch)
        .accumulate(accumulate)
        .evaluationBatch(8)
        .precision(Precision.FP32)
        .seed(11)
        .build();
  }

  @TestFactory
  Stream<DynamicTest> whatIsTooLargeIsForeseenAndWhatIsNamedFits() {
    return Conformance.onEachDevice(MemoryConformanceTest::on);
  }

  private static void on(DeviceProvider provider) {
    try (Device device = Conformance.open(provider, options -> options.withMemoryLimit(new MemoryLimit.Bytes(LIMIT)))) {
      long before = device.availableMemory();
      assertTrue(before <= LIMIT, before + " bytes are to be had");
      var refused = assertThrows(OutOfDeviceMemoryException.class, () -> CompiledModel.compile(device, spec(BATCH, 1)));
      assertEquals(before, device.availableMemory());
      Matcher advice = ADVICE.matcher(refused.getMessage());
      assertTrue(advice.matches(), refused.getMessage());
      CompiledModel.compile(device, spec(number(advice, 1), 1)).close();
      CompiledModel.compile(device, spec(number(advice, 2), number(advice, 3))).close();
      assertEquals(BATCH, number(advice, 2) * number(advice, 3));
      assertThrows(OutOfDeviceMemoryException.class, () -> device.allocate(LIMIT + 1));
    }
  }

  private static int number(Matcher matcher, int group) {
    return Integer.parseInt(matcher.group(group));
  }
}
