package dev.lamina.device.cuda.library;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class LinkerCacheTest {
  private static final int OTHER_ARCHITECTURE = 0x0803;

  /** A cache as ldconfig writes it, of these libraries. */
  static byte[] cache(String... paths) {
    ByteBuffer bytes = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
    bytes.put("glibc-ld.so.cache1.1".getBytes(StandardCharsets.US_ASCII)).putInt(paths.length);
    int strings = 48 + 24 * paths.length;
    for (int i = 0; i < paths.length; i++) {
      byte[] text = paths[i].getBytes(StandardCharsets.US_ASCII);
      int name = paths[i].lastIndexOf('/') + 1;
      bytes.position(48 + 24 * i);
      bytes.putInt(paths[i].contains("i386") ? OTHER_ARCHITECTURE : 0x0303).putInt(strings + name).putInt(strings);
      bytes.put(strings, text);
      strings += text.length + 1;
    }
    return Arrays.copyOf(bytes.array(), strings);
  }

  @Test
  void listsTheLibrariesOfThisArchitecture() {
    byte[] cache = cache("/usr/lib/x86_64-linux-gnu/libcuda.so.1", "/usr/lib/i386-linux-gnu/libcuda.so.1", "/a/b.so");
    assertEquals(List.of("/usr/lib/x86_64-linux-gnu/libcuda.so.1", "/a/b.so"), LinkerCache.parse("ld.so.cache", cache));
  }

  /** glibc before 2.32 put a table of the oldest kind in front. */
  @Test
  void findsTheTableBehindAnOlderOne() {
    byte[] cache = cache("/a/libcuda.so.1");
    byte[] both = new byte[64 + cache.length];
    System.arraycopy("ld.so-1.7.0".getBytes(StandardCharsets.US_ASCII), 0, both, 0, 11);
    System.arraycopy(cache, 0, both, 64, cache.length);
    assertEquals(List.of("/a/libcuda.so.1"), LinkerCache.parse("ld.so.cache", both));
  }

  @Test
  void otherFilesHoldNothingAndDamagedOnesAreRefused() {
    assertEquals(List.of(), LinkerCache.parse("x", new byte[100]));
    assertEquals(List.of(), LinkerCache.read(Path.of("/nowhere/ld.so.cache")));
    byte[] cut = Arrays.copyOf(cache("/a/libcuda.so.1", "/b/libcuda.so.1"), 80);
    assertThrows(ElfException.class, () -> LinkerCache.parse("x", cut));
  }

  @Test
  void readsWhatLdconfigPrintsOnThisMachine() throws IOException, InterruptedException {
    Path file = Path.of("/etc/ld.so.cache");
    Assumptions.assumeTrue(Files.isReadable(file), "this system has no " + file);
    Path ldconfig = Path.of("/sbin/ldconfig");
    Assumptions.assumeTrue(Files.isExecutable(ldconfig), "ldconfig is not installed");
    List<String> printed =
        Tools.run(Path.of("/"), List.of(ldconfig.toString(), "-p"))
            .lines()
            .filter(line -> line.contains("(libc6,x86-64"))
            .map(line -> line.substring(line.indexOf("=> ") + 3))
            .toList();
    Assumptions.assumeFalse(printed.isEmpty(), "the cache holds no library for x86-64");
    assertFalse(LinkerCache.read(file).isEmpty());
    assertEquals(printed.stream().sorted().toList(), LinkerCache.read(file).stream().sorted().toList());
  }
}
