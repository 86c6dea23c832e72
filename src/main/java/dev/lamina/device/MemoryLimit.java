package dev.lamina.device;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How much of a device's memory its buffers may take together. */
public sealed interface MemoryLimit {

  /** The limit in bytes on a device that has {@code total} bytes. */
  long of(long total);

  /** All that is free. */
  record None() implements MemoryLimit {
    @Override
    public long of(long total) {
      return Long.MAX_VALUE;
    }
  }

  /**
   * So many bytes.
   *
   * @param bytes 1 or more
   */
  record Bytes(long bytes) implements MemoryLimit {
    public Bytes {
      if (bytes < 1) {
        throw new IllegalArgumentException("a limit of memory is more than nothing, got " + bytes + " bytes");
      }
    }

    @Override
    public long of(long total) {
      return bytes;
    }
  }

  /**
   * A share of what the device has, whoever uses it.
   *
   * @param percent above 0, at most 100
   */
  record Share(double percent) implements MemoryLimit {
    public Share {
      if (!(percent > 0 && percent <= 100)) {
        throw new IllegalArgumentException("a share of memory is above 0% and at most 100%, got " + percent + "%");
      }
    }

    @Override
    public long of(long total) {
      return (long) (total * (percent / 100));
    }
  }

  /**
   * What may still be allocated.
   *
   * @param free bytes that nobody has taken
   * @param total bytes that the device has
   * @param taken bytes of the buffers that are allocated
   */
  default long remaining(long free, long total, long taken) {
    return Math.max(0, Math.min(free, of(total) - taken));
  }

  /**
   * Reads {@code 8GiB}, {@code 512MiB}, {@code 1.5 gb} or {@code 80%}.
   *
   * @throws IllegalArgumentException if it is none of these, or nothing
   */
  static MemoryLimit parse(String text) {
    Matcher size = Pattern.compile("(\\d{1,15}(?:\\.\\d{1,15})?) ?([a-z]+|%)").matcher(text.toLowerCase(Locale.ROOT));
    Map<String, Long> units = // powers of 1024 and powers of 1000 have names of their own
        Map.of(
            "kib",
            1L << 10,
            "mib",
            1L << 20,
            "gib",
            1L << 30,
            "tib",
            1L << 40, //
            "kb",
            1_000L,
            "mb",
            1_000_000L,
            "gb",
            1_000_000_000L,
            "tb",
            1_000_000_000_000L);
    if (size.matches() && size.group(2).equals("%")) {
      return new Share(Double.parseDouble(size.group(1)));
    }
    if (!size.matches() || !units.containsKey(size.group(2))) {
      throw new IllegalArgumentException("expected a size like 8GiB, 512MiB or 80%, got '" + text + "'");
    }
    BigDecimal bytes = new BigDecimal(size.group(1)).multiply(BigDecimal.valueOf(units.get(size.group(2))));
    return new Bytes(bytes.min(BigDecimal.valueOf(Long.MAX_VALUE)).setScale(0, RoundingMode.DOWN).longValue());
  }
}
