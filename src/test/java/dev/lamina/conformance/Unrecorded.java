package dev.lamina.conformance;

import dev.lamina.device.Device;
import dev.lamina.device.ForwardingDevice;

/** A device that starts each kernel of a step by itself, with the kernels and the memory of another. */
final class Unrecorded extends ForwardingDevice {
  Unrecorded(Device device) {
    super(device);
  }
}
