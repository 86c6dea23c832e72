package dev.lamina.device;

/**
 * Wishes for a device.
 *
 * @param threads worker threads of the CPU device; 0 takes one for each available processor
 */
public record DeviceOptions(int threads) {
  /** Whatever the device thinks best. */
  public static final DeviceOptions DEFAULT = new DeviceOptions(0);

  public DeviceOptions {
    if (threads < 0) {
      throw new IllegalArgumentException("threads: expected 1 or more, got " + threads);
    }
  }
}
