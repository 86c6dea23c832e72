package dev.lamina.device;

import java.util.Optional;

/** A kind of device that Lamina can try to open. */
public interface DeviceProvider {

  /** What {@code --device} calls it. */
  String name();

  /** Why it cannot be opened here, in one line; empty if it can. */
  Optional<String> unavailable();

  /** One line about what would be opened. */
  String description();

  /**
   * Opens it.
   *
   * @param options wishes that concern it
   * @throws IllegalStateException if it is not available, with the reason
   */
  Device open(DeviceOptions options);
}
