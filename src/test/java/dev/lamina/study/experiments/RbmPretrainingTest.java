package dev.lamina.study.experiments;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.data.Mnist;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.study.Findings;
import dev.lamina.study.Pictures;
import dev.lamina.study.Setting;
import dev.lamina.study.Settings;
import dev.lamina.study.Table;
import dev.lamina.study.Watcher;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The study of pre-training, much smaller than even the quick one. */
class RbmPretrainingTest {
  @Test
  void preTrainedNetsLearnWhereSmallNumbersStall() {
    List<Table> begun = new ArrayList<>();
    Watcher watcher =
        new Watcher() {
          @Override
          public void doing(String words) {}

          @Override
          public void begun(Table table) {
            begun.add(table);
          }
        };
    try (Device device = new Devices().open("cpu", new DeviceOptions(2))) {
      Setting setting = Settings.of(device, true, 0, new Mnist(), watcher);
      List<RbmPretraining.Start> two = RbmPretraining.STARTS.subList(0, 2);
      Findings findings =
          RbmPretraining.run(setting, two, new double[] {0.1}, new RbmPretraining.Extent(3, 64, 2, 3, 4, 2000));
      assertEquals(1, findings.verdicts().size());
      // From 0.01 N, three sigmoids deep, sixty updates change nothing.
      assertTrue(findings.verdicts().getFirst().reproduced(), () -> findings.verdicts().toString());
      assertEquals(findings.tables().size(), begun.size(), "what is interrupted leaves its tables");
      Table machines = findings.tables().get(1);
      assertEquals(1 + 3, machines.csv().lines().count());
      Pictures filters = findings.pictures().getFirst();
      assertEquals(64, filters.values().size());
      assertTrue(filters.values().stream().allMatch(filter -> filter.length == 28 * 28));
      assertFalse(Arrays.equals(filters.values().get(0), filters.values().get(1)));
    }
  }

  /** A gain counts only if the interval of the differences, seed by seed, excludes 0. */
  @Test
  void aGainThatChanceCouldMakeIsNone() {
    assertTrue(RbmPretraining.better("x", new double[] {96, 96.2, 96.1}, new double[] {95, 95.3, 95.1}).reproduced());
    assertFalse(RbmPretraining.better("x", new double[] {96, 95, 97}, new double[] {95.5, 95.5, 95.5}).reproduced());
    assertFalse(RbmPretraining.better("x", new double[] {95, 95.3, 95.1}, new double[] {96, 96.2, 96.1}).reproduced());
  }
}
