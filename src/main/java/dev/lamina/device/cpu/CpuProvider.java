package dev.lamina.device.cpu;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.DeviceProvider;
import java.util.Optional;

/**
 * Opens the {@link CpuDevice}, which runs anywhere: with vectors where the virtual machine has them, else with scalar
 * code, which its description says.
 */
public final class CpuProvider implements DeviceProvider {

  @Override
  public String name() {
    return CpuDevice.NAME;
  }

  @Override
  public Optional<String> unavailable(DeviceOptions options) {
    return Optional.empty();
  }

  @Override
  public String description(DeviceOptions options) {
    return CpuDevice.description(CpuDevice.threads(options));
  }

  @Override
  public Device open(DeviceOptions options) {
    return new CpuDevice(options);
  }
}
