package dev.lamina.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lamina.conformance.Conformance;
import dev.lamina.data.Dataset;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.DeviceProvider;
import dev.lamina.device.cpu.CpuProvider;
import dev.lamina.device.reference.ReferenceDevice;
import dev.lamina.device.reference.ReferenceProvider;
import dev.lamina.nn.BatchNorm;
import dev.lamina.nn.Conv2d;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Dropout;
import dev.lamina.nn.Flatten;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.ReLU;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Looking inside, and asking all examples about a suspected layer, changes nothing. */
class LooksTest {
  /** Dropout's stream, running statistics, the optimizer's slots: all that a look could disturb. */
  private static Layer layers() {
    return new Sequential(
        new Conv2d(4, 5).stride(3), new BatchNorm(), new ReLU(), new Flatten(), new Dropout(0.3), new Dense(10));
  }

  @Test
  void lookingChangesNothing() {
    for (DeviceProvider provider : List.of(new ReferenceProvider(), new CpuProvider())) {
      try (Arena arena = Arena.ofShared();
          Device device = provider.open(new DeviceOptions(1))) {
        Dataset data = TinyData.bands(arena, 64, 1);
        List<ModelStatistics> seen = new ArrayList<>();
        TrainingListener listener =
            new TrainingListener() {
              @Override
              public void observed(ModelStatistics statistics) {
                seen.add(statistics);
              }
            };
        List<byte[]> unseen = trained(device, data, 0, listener);
        assertEquals(List.of(), seen);
        List<byte[]> looked = trained(device, data, 3, listener);
        assertEquals(List.of(1L, 4L, 7L), seen.stream().map(ModelStatistics::step).toList());
        assertEquals(List.of(1, 1, 2), seen.stream().map(ModelStatistics::epoch).toList());
        for (int i = 0; i < unseen.size(); i++) {
          assertArrayEquals(unseen.get(i), looked.get(i), provider.name());
        }
      }
    }
  }

  private static List<byte[]> trained(Device device, Dataset data, int every, TrainingListener listener) {
    Trainer trainer =
        new Trainer(device, layers()).epochs(2).batch(16).validationShare(0).statisticsEvery(every).listener(listener);
    try (Arena arena = Arena.ofConfined();
        TrainedModel trained = trainer.fit(data)) {
      return trained.compiled().state(arena).values().stream()
          .map(tensor -> tensor.segment().toArray(ValueLayout.JAVA_BYTE))
          .toList();
    }
  }

  @TestFactory
  Stream<DynamicTest> aSurveyOfAllExamplesChangesNothing() {
    DynamicTest onReference =
        DynamicTest.dynamicTest(
            "reference",
            () -> {
              try (Device device = new ReferenceProvider().open(new DeviceOptions(1))) {
                surveyed(device);
              }
            });
    return Stream.concat(Stream.of(onReference), Conformance.onEachDevice(LooksTest::on));
  }

  private static void on(DeviceProvider provider) {
    // Whose convolutions may add in another order each time otherwise.
    try (Device device = Conformance.open(provider, wishes -> wishes.withDeterminism(true))) {
      surveyed(device);
    }
  }

  private static void surveyed(Device device) {
    try (Arena arena = Arena.ofShared()) {
      Dataset data = TinyData.bands(arena, 70, 1);
      List<byte[]> alone = trained(device, data, 0, new TrainingListener() {});
      Suspicion suspicion = new Suspicion(Set.of("relu1"), new ArrayList<>());
      List<byte[]> surveyed = trained(device, data, 0, suspicion);
      assertEquals(List.of(new DeadUnits("relu1", 4, 0, 64), new DeadUnits("relu1", 4, 0, 64)), suspicion.answers);
      for (int i = 0; i < alone.size(); i++) {
        assertArrayEquals(alone.get(i), surveyed.get(i), device.name());
      }
    }
  }

  /** What suspects a layer in each epoch, and keeps the answers. */
  private record Suspicion(Set<String> suspects, List<DeadUnits> answers) implements TrainingListener {
    @Override
    public void surveyed(DeadUnits layer) {
      answers.add(layer);
    }
  }

  @Test
  void aSurveyEndsWhenSomebodyWantsToStop() {
    List<DeadUnits> answers = new ArrayList<>();
    boolean[] stop = new boolean[1];
    TrainingListener impatient =
        new TrainingListener() {
          @Override
          public Set<String> suspects() {
            stop[0] = true;
            return Set.of("relu1");
          }

          @Override
          public boolean wantsStop() {
            return stop[0];
          }

          @Override
          public void surveyed(DeadUnits layer) {
            answers.add(layer);
          }
        };
    try (Arena arena = Arena.ofShared();
        Device device = new ReferenceDevice();
        TrainedModel trained =
            new Trainer(device, new Sequential(new Dense(8), new ReLU(), new Dense(3)))
                .epochs(3)
                .batch(10)
                .listener(impatient)
                .fit(TinyData.clouds(arena, 60, 0.1, 1))) {
      assertEquals(TrainingReport.End.INTERRUPTED, trained.report().end());
      assertEquals(1, trained.report().completedEpochs());
      assertEquals(List.of(), answers);
    }
  }
}
