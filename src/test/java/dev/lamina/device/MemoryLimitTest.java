package dev.lamina.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How much of a device's memory may be taken: how it is written, and that devices keep to it. */
class MemoryLimitTest {
  private static final long MIB = 1L << 20;

  @ParameterizedTest
  @CsvSource({
    "1KiB, 1024",
    "512MiB, 536870912",
    "8GiB, 8589934592",
    "8 gib, 8589934592",
    "1.5GiB, 1610612736",
    "2TiB, 2199023255552",
    "3kB, 3000",
    "64MB, 64000000",
    "0.5GB, 500000000",
    "1TB, 1000000000000",
    "999999999999999TiB, 9223372036854775807"
  })
  void sizesHaveUnits(String text, long bytes) {
    assertEquals(new MemoryLimit.Bytes(bytes), MemoryLimit.parse(text));
  }

  @Test
  void aShareIsOneOfWhatTheDeviceHas() {
    assertEquals(new MemoryLimit.Share(80), MemoryLimit.parse("80%"));
    assertEquals(800, MemoryLimit.parse("80%").of(1000));
    assertEquals(125, MemoryLimit.parse("12.5 %").of(1000));
    assertEquals(1000, MemoryLimit.parse("100%").of(1000));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "8", "GiB", "8GIBI", "8GiB8", "-1GiB", "1e3MiB", "eight GiB", "1,5GiB", "NaN%", "%", "8G"})
  void whatIsNoSizeIsRefusedWithExamples(String text) {
    var refused = assertThrows(IllegalArgumentException.class, () -> MemoryLimit.parse(text));
    assertEquals("expected a size like 8GiB, 512MiB or 80%, got '" + text + "'", refused.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"0GiB", "0.0001KiB", "0%", "100.1%", "250%"})
  void nothingAndMoreThanAllAreRefused(String text) {
    var refused = assertThrows(IllegalArgumentException.class, () -> MemoryLimit.parse(text));
    assertTrue(refused.getMessage().contains("of memory is"), refused.getMessage());
  }

  @Test
  void whatIsTakenCountsAndWhatIsNotFreeCannotBeTaken() {
    MemoryLimit limit = new MemoryLimit.Bytes(600);
    assertEquals(600, limit.remaining(900, 1000, 0));
    assertEquals(350, limit.remaining(900, 1000, 250));
    assertEquals(100, limit.remaining(100, 1000, 250));
    assertEquals(0, limit.remaining(900, 1000, 700));
    assertEquals(0, new MemoryLimit.None().remaining(-5, 1000, 0));
    assertEquals(900, new MemoryLimit.None().remaining(900, 1000, 50));
  }

  @ParameterizedTest
  @ValueSource(strings = {"cpu", "reference"})
  void devicesKeepToIt(String name) {
    DeviceOptions options = new DeviceOptions(1).withMemoryLimit(new MemoryLimit.Bytes(4 * MIB));
    try (Device device = new Devices().open(name, options)) {
      assertEquals(4 * MIB, device.availableMemory());
      try (Buffer buffer = device.allocate(3 * MIB)) {
        assertEquals(4 * MIB - buffer.bytes(), device.availableMemory());
        assertThrows(OutOfDeviceMemoryException.class, () -> device.allocate(2 * MIB));
      }
      device.allocate(4 * MIB).close();
    }
  }
}
