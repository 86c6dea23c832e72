package dev.lamina.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.conformance.Conformance;
import dev.lamina.data.Dataset;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceProvider;
import dev.lamina.device.reference.ReferenceDevice;
import dev.lamina.nn.BatchNorm;
import dev.lamina.nn.Conv2d;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Dropout;
import dev.lamina.nn.Flatten;
import dev.lamina.nn.Layer;
import dev.lamina.nn.MaxPool2d;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.optim.WeightAveraging;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** A whole training, loader and validation and all, has the same curve on every device. */
class TrainerOnDeviceTest {
  private static final Layer MODEL =
      new Sequential(
          new Conv2d(6, 5).stride(2),
          new BatchNorm(),
          new ReLU(),
          new MaxPool2d(2),
          new Flatten(),
          new Dropout(0.1),
          new Dense(10));

  /** Judged by the weights themselves, by their moving average, and by their mean over the last epochs. */
  private static final List<Optional<WeightAveraging>> AVERAGINGS =
      List.of(
          Optional.empty(), Optional.of(new WeightAveraging.Ema(0.9)), Optional.of(new WeightAveraging.Swa(0.4, null)));

  @TestFactory
  Stream<DynamicTest> theCurveIsThatOfTheReferenceDevice() {
    return Conformance.devices().stream()
        .flatMap(provider ->
            AVERAGINGS.stream()
                .map(averaging ->
                    DynamicTest.dynamicTest(
                        provider.name() + averaging.map(a -> ", " + a).orElse(""), () -> on(provider, averaging))));
  }

  private static List<EpochReport> train(Device device, Optional<WeightAveraging> averaging, Arena arena) {
    Dataset data = TinyData.bands(arena, 128, 1);
    Trainer trainer = new Trainer(device, MODEL).epochs(3).batch(16).validationShare(0.25).seed(5);
    averaging.ifPresent(a -> trainer.options(trainer.options().with(a)));
    try (TrainedModel trained = trainer.fit(data)) {
      return trained.report().epochs();
    }
  }

  private static void on(DeviceProvider provider, Optional<WeightAveraging> averaging) {
    try (Arena arena = Arena.ofShared();
        Device device = Conformance.open(provider);
        Device oracle = new ReferenceDevice()) {
      List<EpochReport> expected = train(oracle, averaging, arena);
      List<EpochReport> got = train(device, averaging, arena);
      assertEquals(expected.size(), got.size());
      for (int i = 0; i < got.size(); i++) {
        near(expected.get(i).training(), got.get(i).training());
        near(expected.get(i).validation(), got.get(i).validation());
      }
      double first = got.getFirst().training().loss();
      double last = got.getLast().training().loss();
      assertTrue(last < 0.8 * first, "it did not learn: " + first + ", then " + last);
    }
  }

  /** Eighteen updates of 32-bit roundings, each of which the next ones enlarge: far above them, far below a mistake. */
  private static void near(Evaluation expected, Evaluation got) {
    assertEquals(expected.examples(), got.examples());
    assertEquals(expected.loss(), got.loss(), 1e-3 * expected.loss());
  }
}
