package dev.lamina.device;

/**
 * Wishes for a device.
 *
 * @param threads worker threads of the CPU device; 0 takes one for each available processor
 * @param ordinal which of several devices of its kind: 1 for {@code cuda:1}
 * @param exactProducts whether matrix products and convolutions of 32-bit floats take their factors as they are,
 *     instead of rounding them to fewer bits (TF32) where the device has faster units for that
 * @param deterministic whether the same program on the same device gives the same bits each time, even where that is
 *     slower
 * @param memoryLimit how much of its memory may be taken
 * @param cudaLibraries folders with NVIDIA's libraries, separated by colons; empty for wherever they are found
 */
public record DeviceOptions(
    int threads,
    int ordinal,
    boolean exactProducts,
    boolean deterministic,
    MemoryLimit memoryLimit,
    String cudaLibraries) {
  /** Whatever the device thinks best. */
  public static final DeviceOptions DEFAULT = new DeviceOptions(0);

  /** More than any machine has cores for; some ten thousand would keep the system busy with nothing but them. */
  private static final int MOST_THREADS = 1024;

  public DeviceOptions {
    if (threads < 0 || threads > MOST_THREADS) {
      throw new IllegalArgumentException(
          "threads: expected 1 to " + MOST_THREADS + ", or 0 for one on each core, got " + threads);
    }
    if (ordinal < 0) {
      throw new IllegalArgumentException("the number of a device: expected 0 or more, got " + ordinal);
    }
  }

  /** The first device of its kind, with so many threads. */
  public DeviceOptions(int threads) {
    this(threads, 0, false, false, new MemoryLimit.None(), "");
  }

  /** The same wishes for another device of its kind. */
  public DeviceOptions withOrdinal(int other) {
    return new DeviceOptions(threads, other, exactProducts, deterministic, memoryLimit, cudaLibraries);
  }

  /** The same wishes with another number of threads. */
  public DeviceOptions withThreads(int other) {
    return new DeviceOptions(other, ordinal, exactProducts, deterministic, memoryLimit, cudaLibraries);
  }

  /** The same wishes with products exact or not. */
  public DeviceOptions withExactProducts(boolean exact) {
    return new DeviceOptions(threads, ordinal, exact, deterministic, memoryLimit, cudaLibraries);
  }

  /** The same wishes with the same bits each time, or not. */
  public DeviceOptions withDeterminism(boolean always) {
    return new DeviceOptions(threads, ordinal, exactProducts, always, memoryLimit, cudaLibraries);
  }

  /** The same wishes with another limit of memory. */
  public DeviceOptions withMemoryLimit(MemoryLimit limit) {
    return new DeviceOptions(threads, ordinal, exactProducts, deterministic, limit, cudaLibraries);
  }

  /** The same wishes with NVIDIA's libraries from these folders. */
  public DeviceOptions withCudaLibraries(String folders) {
    return new DeviceOptions(threads, ordinal, exactProducts, deterministic, memoryLimit, folders);
  }
}
