package dev.lamina.device;

import java.util.List;
import java.util.Optional;

/** A kind of device that Lamina can try to open. */
public interface DeviceProvider {

  /** What {@code --device} calls it. */
  String name();

  /** Why it cannot be opened here with these wishes, in one line; empty if it can. */
  Optional<String> unavailable(DeviceOptions options);

  /** One line about what would be opened; asked only if it is available. */
  String description(DeviceOptions options);

  /** How many there are of this kind. */
  default int count(DeviceOptions options) {
    return 1;
  }

  /** What it stands on, or what it lacks: lines for somebody who wants to know more than one. */
  default List<String> details(DeviceOptions options) {
    return List.of();
  }

  /**
   * Opens it.
   *
   * @param options wishes that concern it
   * @throws IllegalStateException if it is not available, with the reason
   */
  Device open(DeviceOptions options);
}
