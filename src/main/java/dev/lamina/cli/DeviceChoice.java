package dev.lamina.cli;

import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.io.BadInputException;
import dev.lamina.train.recipe.Nearest;

/** Finds the device that a user asks for. */
final class DeviceChoice {
  private DeviceChoice() {}

  /**
   * The device of that name, and why.
   *
   * @throws BadInputException if there is none of that name
   * @throws IllegalArgumentException if it is not available here
   */
  static Devices.Choice of(String name, DeviceOptions options) {
    Devices devices = new Devices();
    if (!devices.knows(name)) {
      throw new BadInputException("there is no device '" + name + "'" + Nearest.hint(name, devices.names()));
    }
    return devices.choose(name, options);
  }
}
