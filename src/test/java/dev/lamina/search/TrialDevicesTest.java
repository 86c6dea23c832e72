package dev.lamina.search;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrialDevicesTest {

  /** The reference computes on one thread whatever it is given. */
  @ParameterizedTest
  @CsvSource({
    "cpu, 4, 0, 20, 4, 1",
    "cpu, 4, 2, 20, 2, 2",
    "cpu, 4, 0, 2, 2, 2",
    "cpu, 4, 1, 20, 1, 4",
    "cpu, 2, 8, 20, 8, 1",
    "reference, 4, 0, 20, 4, 1",
    "reference, 4, 0, 2, 2, 1",
    "reference, 4, 1, 20, 1, 1"
  })
  void trialsShareTheThreadsOfOneTraining(String device, int threads, int wanted, int trials, int parallel, int each) {
    TrialDevices devices = TrialDevices.of(new Devices().choose(device, new DeviceOptions(threads)), wanted, trials);
    assertEquals(parallel, devices.parallel());
    assertEquals(each, devices.threads());
  }
}
