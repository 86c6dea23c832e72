package dev.lamina.study.experiments;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.conformance.Conformance;
import dev.lamina.data.DataSource;
import dev.lamina.data.Stripes;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceProvider;
import dev.lamina.study.Findings;
import dev.lamina.study.Setting;
import dev.lamina.study.Settings;
import dev.lamina.study.Study;
import dev.lamina.study.Table;
import dev.lamina.study.Watcher;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every study on every device, quick and with trainings that are cut short: it comes to its findings, the graphs that
 * it builds run there, and what they give is finite.
 */
class StudiesOnDeviceTest {
  private static final int STEPS = 2;

  /** An epoch of pre-training without a step has no figures, which counts as divergence; four epochs need these. */
  private static final int STEPS_OF_MACHINES = 8;

  @TempDir static Path folder;

  @BeforeAll
  static void write() throws IOException {
    Stripes.FOUR.write(folder, 200, 50);
  }

  @TestFactory
  Stream<DynamicTest> runsToItsFindings() {
    return Conformance.devices().stream().flatMap(StudiesOnDeviceTest::on);
  }

  private static Stream<DynamicTest> on(DeviceProvider provider) {
    if (Conformance.unavailable(provider).isPresent()) {
      return Stream.of(DynamicTest.dynamicTest(provider.name(), () -> Conformance.require(provider)));
    }
    return Studies.all().stream()
        .map(study -> DynamicTest.dynamicTest(provider.name() + ", " + study.name(), () -> on(provider, study)));
  }

  private static void on(DeviceProvider provider, Study study) {
    // As for a user, whose products need not be exact.
    try (Device whole = Conformance.open(provider, wishes -> wishes.withExactProducts(false))) {
      var device = new SkimmingDevice(whole, study.equals(RbmPretraining.STUDY) ? STEPS_OF_MACHINES : STEPS);
      if (study.equals(ActivationStatistics.STUDY)) {
        // No training that could be cut short: ten layers of 500 units, so that the first of six seeds has to do.
        assertThrows(Watcher.Stopped.class, () -> study.run(setting(device, untilLookedAt(device))));
      } else {
        Findings findings = study.run(setting(device, _ -> {}));
        assertFalse(findings.tables().isEmpty());
        assertFalse(findings.tables().stream().anyMatch(Table::isEmpty));
      }
      assertTrue(device.looks() > 0, "it did nothing on the device");
    }
  }

  /** Stops a study in front of what comes after its first figures. */
  private static Watcher untilLookedAt(SkimmingDevice device) {
    return new Watcher() {
      @Override
      public void doing(String words) {}

      @Override
      public boolean wantsStop() {
        return device.looks() > 0;
      }
    };
  }

  private static Setting setting(Device device, Watcher watcher) {
    return Settings.of(device, true, 0, DataSource.open(folder), watcher);
  }
}
