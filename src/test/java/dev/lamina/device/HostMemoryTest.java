package dev.lamina.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostMemoryTest {
  private static final long GIB = 1L << 30;
  private static final long RESERVE = 256L << 20;

  /** A machine of 24 GiB of which 22 are available, 20 of them free. */
  private static Path meminfo(Path folder) throws IOException {
    return Files.writeString(
        folder.resolve("meminfo"), "MemTotal:  25165824 kB\nMemFree:  20971520 kB\nMemAvailable:  23068672 kB\n");
  }

  @Test
  void cachesCountAsAvailable(@TempDir Path folder) throws IOException {
    assertEquals(22 * GIB - RESERVE, HostMemory.available(24 * GIB, 20 * GIB, meminfo(folder)));
  }

  @Test
  void theLimitOfAContainerHolds(@TempDir Path folder) throws IOException {
    assertEquals(2 * GIB - RESERVE, HostMemory.available(3 * GIB, 2 * GIB, meminfo(folder)));
    assertEquals(22 * GIB - RESERVE, HostMemory.available(23 * GIB, 23 * GIB, meminfo(folder)));
  }

  @Test
  void withoutLinuxWhatIsFreeIsAvailable(@TempDir Path folder) {
    assertEquals(5 * GIB - RESERVE, HostMemory.available(8 * GIB, 5 * GIB, folder.resolve("none")));
  }

  @Test
  void nothingIsNotLessThanNothing(@TempDir Path folder) throws IOException {
    assertEquals(0, HostMemory.available(GIB, GIB / 8, meminfo(folder)));
  }

  @Test
  void thisMachineHasSomeMemoryLeft() {
    assertTrue(HostMemory.available() > 1 << 20);
  }
}
