package dev.lamina.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.device.MemoryLimit;
import dev.lamina.device.OutOfDeviceMemoryException;
import dev.lamina.device.Preparation;
import dev.lamina.loss.SoftmaxCrossEntropy;
import dev.lamina.nn.BatchNorm;
import dev.lamina.nn.Conv2d;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Flatten;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.optim.Momentum;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Out of memory is foreseen, and what the message recommends is tried. */
class MemoryAdviceTest {
  private static final Layer MODEL =
      new Sequential(new Conv2d(8, 3).same(), new BatchNorm(), new ReLU(), new Flatten(), new Dense(3));

  private static ModelSpec spec(int batch, int accumulate) {
    return ModelSpec.of(MODEL, TensorType.of(DType.U8, 16, 16, 1), new SoftmaxCrossEntropy())
        .optimizer(new Momentum(0.9))
        .batch(batch)
        .accumulate(accumulate)
        .evaluationBatch(ModelSpec.evaluationBatchFor(batch))
        .precision(Precision.FP32)
        .seed(7)
        .build();
  }

  private static Device limited(long bytes) {
    return new Devices().open("cpu", new DeviceOptions(1).withMemoryLimit(new MemoryLimit.Bytes(bytes)));
  }

  private static long needed(ModelSpec spec) {
    try (Device device = new Devices().open("cpu", new DeviceOptions(1))) {
      return ModelPlans.forecast(device, spec).neededBytes();
    }
  }

  private static String complaint(Device device, ModelSpec spec) {
    return assertThrows(OutOfDeviceMemoryException.class, () -> CompiledModel.compile(device, spec)).getMessage();
  }

  private static void assertFits(Device device, ModelSpec spec) {
    CompiledModel.compile(device, spec).close();
  }

  @ParameterizedTest
  @CsvSource({"512, 1, 0.7", "512, 1, 0.45", "600, 2, 0.3", "509, 1, 0.5"})
  void whatTheMessageNamesFits(int batch, int accumulate, double share) {
    long limit = (long) (needed(spec(batch, accumulate)) * share);
    try (Device device = limited(limit)) {
      String message = complaint(device, spec(batch, accumulate));
      Matcher advice =
          Pattern.compile(
                  "batch "
                      + batch
                      + " needs [\\d.]+ MiB, the device has [\\d.]+ MiB to give; batch (\\d+) fits,"
                      + " and batch (\\d+) with --accumulate (\\d+) for updates by as many examples")
              .matcher(message);
      assertTrue(advice.matches(), message);
      int fits = Integer.parseInt(advice.group(1));
      int part = Integer.parseInt(advice.group(2));
      int passes = Integer.parseInt(advice.group(3));
      assertFits(device, spec(fits, accumulate));
      assertFits(device, spec(part, passes));
      assertEquals(batch * accumulate, part * passes);
      assertTrue(needed(spec(fits + 1, accumulate)) > limit - limit / 32, "batch " + (fits + 1) + " fits too");
      int fewest =
          IntStream.rangeClosed(2, batch)
              .filter(n -> batch % n == 0 && needed(spec(batch / n, accumulate * n)) <= limit - limit / 32)
              .findFirst()
              .orElseThrow();
      assertEquals(batch / fewest, part);
    }
  }

  /** Its batch is its own: the advice would be for a batch that nobody asked for. */
  @Test
  void theRehearsalLeavesTheRefusalToTheTraining() {
    try (Device device = limited(1000)) {
      new Trainer(device, MODEL).warmUp(TensorType.of(DType.U8, 16, 16, 1), () -> true);
    }
  }

  @Test
  void whereNothingFitsNothingIsRecommended() {
    try (Device device = limited(1000)) {
      String message = complaint(device, spec(64, 1));
      assertTrue(message.endsWith("the device has 1.0 KiB to give; not even batch 1 fits"), message);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void eachKernelOfEachProgramIsChosenAndThenBound(int accumulate) {
    List<Preparation> seen = new ArrayList<>();
    try (Device device = new Devices().open("cpu", new DeviceOptions(1))) {
      CompiledModel.compile(device, spec(8, accumulate), seen::add).close();
    }
    int all = seen.getFirst().all();
    assertEquals(2 * all, seen.size());
    for (int i = 0; i < seen.size(); i++) {
      Preparation.Stage stage = i < all ? Preparation.Stage.CHOOSING : Preparation.Stage.BINDING;
      assertEquals(new Preparation(stage, i % all, all, seen.get(i % all).next()), seen.get(i));
    }
  }
}
