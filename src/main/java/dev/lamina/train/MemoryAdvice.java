package dev.lamina.train;

import dev.lamina.device.Device;
import dev.lamina.device.OutOfDeviceMemoryException;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/** Which smaller training fits where one does not. Nothing is allocated to find out. */
final class MemoryAdvice {
  private final Device device;
  private final ModelSpec spec;
  private final long available;

  private MemoryAdvice(Device device, ModelSpec spec, long available) {
    this.device = device;
    this.spec = spec;
    this.available = available;
  }

  /**
   * Returns if {@code plans} fit into the memory of {@code device}.
   *
   * @throws OutOfDeviceMemoryException if not; the message says what would
   */
  static void requireRoom(Device device, ModelPlans plans) {
    long needed = plans.neededBytes();
    long available = device.availableMemory();
    if (needed > available) {
      ModelSpec spec = plans.trace().spec();
      throw new OutOfDeviceMemoryException(
          String.format(
              Locale.ROOT,
              "batch %d needs %s, the device has %s to give%s",
              spec.trains() ? spec.batch() : spec.evaluationBatch(),
              bytes(needed),
              bytes(available),
              spec.trains() ? "; " + new MemoryAdvice(device, spec, available).words() : ""));
    }
  }

  private String words() {
    int batch = largestBatch();
    if (batch == 0) {
      return "not even batch 1 fits";
    }
    OptionalInt parts = fewestParts(batch);
    return parts.isEmpty()
        ? "batch " + batch + " fits"
        : String.format(
            Locale.ROOT,
            "batch %d fits, and batch %d with --accumulate %d for updates by as many examples",
            batch,
            spec.batch() / parts.getAsInt(),
            spec.accumulate() * parts.getAsInt());
  }

  /** 0 if there is none. */
  private int largestBatch() {
    int low = 0;
    int high = spec.batch();
    while (high - low > 1) {
      int middle = (low + high) >>> 1;
      if (fits(middle, spec.accumulate())) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** Into how many equal passes the batch must be cut, each at most {@code batch}. */
  private OptionalInt fewestParts(int batch) {
    return IntStream.rangeClosed(2, spec.batch())
        .filter(parts -> spec.batch() % parts == 0 && spec.batch() / parts <= batch)
        .filter(parts -> fits(spec.batch() / parts, spec.accumulate() * parts))
        .findFirst();
  }

  /** Not to the last byte: the next run finds a little more or less. */
  private boolean fits(int batch, int accumulate) {
    ModelSpec smaller = spec.withSmallerBatch(batch, accumulate);
    try {
      return ModelPlans.forecast(device, smaller).neededBytes() <= available - available / 32;
    } catch (IllegalArgumentException _) {
      return false; // no such model: batch norm of vectors takes more than one example
    }
  }

  private static String bytes(long bytes) {
    if (bytes < 1 << 20) {
      return String.format(Locale.ROOT, "%.1f KiB", bytes / (double) (1 << 10));
    }
    return bytes < 1L << 30
        ? String.format(Locale.ROOT, "%.1f MiB", bytes / (double) (1 << 20))
        : String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1L << 30));
  }
}
