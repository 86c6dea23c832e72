package dev.lamina.device;

/**
 * Wishes for a device.
 *
 * @param threads worker threads of the CPU device; 0 takes one for each available processor
 */
public record DeviceOptions(int threads) {
  /** Whatever the device thinks best. */
  public static final DeviceOptions DEFAULT = new DeviceOptions(0);

  /** More than any machine has cores for; some ten thousand would keep the system busy with nothing but them. */
  private static final int MOST_THREADS = 1024;

  public DeviceOptions {
    if (threads < 0 || threads > MOST_THREADS) {
      throw new IllegalArgumentException(
          "threads: expected 1 to " + MOST_THREADS + ", or 0 for one on each core, got " + threads);
    }
  }
}
