package dev.lamina.device.reference;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.DeviceProvider;
import java.util.Optional;

/** Opens the {@link ReferenceDevice}, which runs anywhere. */
public final class ReferenceProvider implements DeviceProvider {

  @Override
  public String name() {
    return ReferenceDevice.NAME;
  }

  @Override
  public Optional<String> unavailable(DeviceOptions options) {
    return Optional.empty();
  }

  @Override
  public String description(DeviceOptions options) {
    return ReferenceDevice.DESCRIPTION;
  }

  @Override
  public Device open(DeviceOptions options) {
    return new ReferenceDevice(options.memoryLimit());
  }
}
