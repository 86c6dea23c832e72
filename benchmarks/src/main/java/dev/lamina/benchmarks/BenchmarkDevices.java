package dev.lamina.benchmarks;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.device.reference.ReferenceProvider;
import java.util.List;

/** The devices that benchmarks are made for. */
final class BenchmarkDevices {
  /** Those that are asked for where nobody says which. */
  static final List<String> ALL = List.of("cpu", "reference", "cuda");

  private BenchmarkDevices() {}

  /** What there is under this name, or why it cannot be measured. */
  static Devices.Entry entry(String name) {
    return new Devices()
        .list(DeviceOptions.DEFAULT).stream()
            .filter(entry -> entry.name().equals(name))
            .findFirst()
            .orElse(new Devices.Entry(name, false, "this build has no such device", List.of()));
  }

  /**
   * Opens the device of this name.
   *
   * @throws IllegalArgumentException if it is not available, with the reason
   */
  static Device open(String name) {
    return new Devices().open(name, DeviceOptions.DEFAULT);
  }

  /** The oracle. */
  static Device reference() {
    return new ReferenceProvider().open(DeviceOptions.DEFAULT);
  }
}
