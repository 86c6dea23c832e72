package dev.lamina.device;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** What the host has left, for devices whose memory is the host's. */
public final class HostMemory {
  private static final Path MEMINFO = Path.of("/proc/meminfo");

  /**
   * Left to the virtual machine: a training of 3 GiB in a container of as much was seen to be killed for what the heap
   * and the compilers took after its memory had been planned.
   */
  private static final long RESERVE = 256L << 20;

  private HostMemory() {}

  /**
   * Bytes that could be allocated for tensors without swapping, and within the limit of a container: what Linux calls
   * available where that can be read (its caches count, they give way), else what is free.
   */
  public static long available() {
    // The virtual machine knows the limit of its container, and then means that by "total" and what is left of it by
    // "free"; /proc/meminfo always speaks of the whole machine.
    OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    return available(system.getTotalMemorySize(), system.getFreeMemorySize(), MEMINFO);
  }

  /** Bytes that the machine has, or its container may take. */
  public static long total() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
  }

  /** What is {@linkplain #available() available}, from the virtual machine's figures and a file like /proc/meminfo. */
  static long available(long total, long free, Path meminfo) {
    long linux = bytes(meminfo, "MemAvailable:");
    boolean isLimited = total < bytes(meminfo, "MemTotal:");
    long available = isLimited ? Math.min(free, linux) : Math.max(free, linux);
    return Math.max(0, available - RESERVE);
  }

  private static long bytes(Path meminfo, String name) {
    try (Stream<String> lines = Files.lines(meminfo)) {
      return lines
          .filter(line -> line.startsWith(name))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
          .findFirst()
          .orElse(0);
    } catch (IOException _) {
      return 0;
    }
  }
}
