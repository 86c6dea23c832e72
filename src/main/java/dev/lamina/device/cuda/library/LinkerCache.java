package dev.lamina.device.cuda.library;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The libraries that glibc's dynamic linker knows without being told a folder: {@code /etc/ld.so.cache}, as {@code
 * ldconfig} writes it since glibc 2.2 (a header of 48 bytes, then entries of 24, then strings).
 */
final class LinkerCache {
  private static final byte[] MAGIC = "glibc-ld.so.cache1.1".getBytes(StandardCharsets.US_ASCII);
  private static final int HEADER = 48;
  private static final int ENTRY = 24;

  /** A library of glibc 2 for x86-64, with 64-bit pointers. */
  private static final long X86_64 = 0x0303;

  private LinkerCache() {}

  /** Absolute paths of the libraries in the cache, in its order; none if there is no cache, or one of another kind. */
  static List<String> read(Path file) {
    try {
      return parse(file.toString(), Files.readAllBytes(file));
    } catch (IOException | ElfException e) {
      return List.of();
    }
  }

  /**
   * The same of a cache in memory.
   *
   * @throws ElfException if it is damaged
   */
  static List<String> parse(String file, byte[] content) {
    // Older systems put a table of the old kind in front, which begins the new one at a multiple of 8.
    int start = -1;
    for (int at = 0; at + HEADER <= content.length && start < 0; at += 8) {
      if (Arrays.equals(content, at, at + MAGIC.length, MAGIC, 0, MAGIC.length)) {
        start = at;
      }
    }
    if (start < 0) {
      return List.of();
    }
    var bytes = new ElfBytes(file, MemorySegment.ofArray(content).asSlice(start));
    long count = bytes.u32(20);
    bytes.checked(HEADER, count * ENTRY, "the table of libraries");
    List<String> paths = new ArrayList<>();
    for (long at = HEADER; at < HEADER + count * ENTRY; at += ENTRY) {
      if (bytes.u32(at) == X86_64) {
        paths.add(bytes.string(bytes.u32(at + 8), bytes.size()));
      }
    }
    return paths;
  }
}
