package dev.lamina.train;

import dev.lamina.device.Device;
import dev.lamina.device.OutOfDeviceMemoryException;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.function.IntPredicate;
import java.util.function.IntToLongFunction;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** Which smaller training fits where one does not. Nothing is allocated to find out. */
public final class MemoryAdvice {
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
    long available = device.availableMemory();
    ModelSpec spec = plans.trace().spec();
    int batch = spec.trains() ? spec.batch() : spec.evaluationBatch();
    requireRoom(
        batch,
        plans.neededBytes(),
        available,
        () -> spec.trains() ? "; " + new MemoryAdvice(device, spec, available).words() : "");
  }

  /** Whether {@code plans} fit into the memory of {@code device}, and some is left. */
  static boolean hasRoom(Device device, ModelPlans plans) {
    return isRoom(plans.neededBytes(), device.availableMemory());
  }

  /**
   * Returns if something that learns from batches fits into the memory of {@code device}.
   *
   * @param batch its examples
   * @param needed bytes with batches of so many
   * @throws OutOfDeviceMemoryException if not; the message says which batch would
   */
  public static void requireRoom(Device device, int batch, IntToLongFunction needed) {
    long available = device.availableMemory();
    requireRoom(
        batch,
        needed.applyAsLong(batch),
        available,
        () -> "; " + words(largestBatch(batch, smaller -> isRoom(needed.applyAsLong(smaller), available))));
  }

  private static void requireRoom(int batch, long needed, long available, Supplier<String> advice) {
    if (needed > available) {
      throw new OutOfDeviceMemoryException(
          String.format(
              Locale.ROOT,
              "batch %d needs %s, the device has %s to give%s",
              batch,
              bytes(needed),
              bytes(available),
              advice.get()));
    }
  }

  private String words() {
    int batch = largestBatch(spec.batch(), smaller -> fits(smaller, spec.accumulate()));
    OptionalInt parts = batch == 0 ? OptionalInt.empty() : fewestParts(batch);
    return parts.isEmpty()
        ? words(batch)
        : String.format(
            Locale.ROOT,
            "batch %d fits, and batch %d with --accumulate %d for updates by as many examples",
            batch,
            spec.batch() / parts.getAsInt(),
            spec.accumulate() * parts.getAsInt());
  }

  private static String words(int batch) {
    return batch == 0 ? "not even batch 1 fits" : "batch " + batch + " fits";
  }

  /** Below {@code batch}; 0 if there is none. */
  private static int largestBatch(int batch, IntPredicate fits) {
    int low = 0;
    int high = batch;
    while (high - low > 1) {
      int middle = (low + high) >>> 1;
      if (fits.test(middle)) {
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
  private static boolean isRoom(long needed, long available) {
    return needed <= available - available / 32;
  }

  private boolean fits(int batch, int accumulate) {
    ModelSpec smaller = spec.withSmallerBatch(batch, accumulate);
    try {
      return isRoom(ModelPlans.forecast(device, smaller).neededBytes(), available);
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
