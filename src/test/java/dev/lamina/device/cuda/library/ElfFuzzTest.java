package dev.lamina.device.cuda.library;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Damaged files are refused with one line; they never make the reader loop or fail in another way. */
class ElfFuzzTest {
  private static final String NVRTC = "libJNvrtc-12.6.0-linux-x86_64.so";
  private static final String CUDNN = "libJCudnn-11.7.0-linux-x86_64.so";
  private static final Map<String, String> RENAMES = ShippedNatives.renames("13", "9");

  @Test
  void everyTruncationIsRefused() {
    byte[] original = ShippedNatives.bytes(NVRTC);
    for (int length = 0; length < original.length; length += length < 2048 ? 1 : 37) {
      byte[] cut = Arrays.copyOf(original, length);
      requireOneLine(assertThrows(ElfException.class, () -> Relinker.relink("cut.so", cut, RENAMES)));
    }
  }

  @Test
  void otherFilesAreRefused() {
    assertRefused("is not an ELF file", new byte[0]);
    assertRefused("is not an ELF file", "#!/bin/sh\n".repeat(20).getBytes(java.nio.charset.StandardCharsets.UTF_8));
    byte[] original = ShippedNatives.bytes(NVRTC);
    assertRefused("is not a 64-bit little-endian", with(original, 4, 1));
    assertRefused("is not a 64-bit little-endian", with(original, 5, 2));
    assertRefused("is not a 64-bit little-endian", with(original, 16, 2));
    assertRefused("machine 183", with(original, 18, 183));
    assertRefused("unknown version", with(original, 6, 2));
    assertRefused("program headers", with(original, 56, 0));
    assertRefused("section headers", with(original, 58, 40));
  }

  @Test
  void chainsOfVersionsThatTurnBackAreRefused() {
    byte[] broken = ShippedNatives.bytes(CUDNN);
    SharedObject object = SharedObject.of(CUDNN, MemorySegment.ofArray(broken));
    int table = Math.toIntExact(object.file().value(SharedObject.VERSIONS_NEEDED).orElseThrow());
    ByteBuffer.wrap(broken).order(ByteOrder.LITTLE_ENDIAN).putInt(table + 12, 0);
    assertRefused("ends, or turns back", broken);
    ByteBuffer.wrap(broken).order(ByteOrder.LITTLE_ENDIAN).putInt(table + 12, -16);
    assertRefused("is not inside the file", broken);
  }

  /** One to four changed bytes, most of them in tables; what is accepted must still be a library that can be read. */
  @Test
  void changedBytesAreRefusedOrHarmless() {
    Random random = new Random(20);
    for (String file : List.of(NVRTC, CUDNN)) {
      byte[] original = ShippedNatives.bytes(file);
      int[][] tables = tables(file, original);
      int refused = 0;
      int rounds = 6_000;
      for (int round = 0; round < rounds; round++) {
        byte[] changed = original.clone();
        for (int i = random.nextInt(4); i >= 0; i--) {
          int[] table = tables[random.nextInt(tables.length)];
          int at = table[0] + random.nextInt(table[1]);
          changed[at] = random.nextInt(3) == 0 ? (byte) 0xff : (byte) random.nextInt(256);
        }
        try {
          byte[] relinked = Relinker.relink(file, changed, RENAMES);
          assertEquals(original.length, relinked.length);
          SharedObject.of(file, MemorySegment.ofArray(relinked));
        } catch (ElfException e) {
          requireOneLine(e);
          refused++;
        }
      }
      int refusals = refused;
      assertTrue(refused > rounds / 4 && refused < rounds, () -> refusals + " of " + rounds + " were refused");
    }
  }

  /** File header, program headers, section headers, dynamic section, needed versions, some symbols. */
  private static int[][] tables(String name, byte[] bytes) {
    ElfFile file = SharedObject.of(name, MemorySegment.ofArray(bytes)).file();
    int sections = Math.toIntExact(file.bytes().u63(40));
    return new int[][] {
      {0, 64},
      {64, 56 * file.segments().size()},
      {sections, 64 * file.sections().size()},
      {Math.toIntExact(file.dynamicOffset()), 16 * file.dynamic().size()},
      {Math.toIntExact(file.value(SharedObject.VERSIONS_NEEDED).orElseThrow()), 96},
      {Math.toIntExact(file.value(SharedObject.SYMBOL_TABLE).orElseThrow()), 240},
    };
  }

  private static void assertRefused(String reason, byte[] file) {
    var refusal = assertThrows(ElfException.class, () -> Relinker.relink("some.so", file, RENAMES));
    requireOneLine(refusal);
    assertTrue(refusal.getMessage().startsWith("some.so: "), refusal.getMessage());
    assertTrue(refusal.getMessage().contains(reason), refusal.getMessage());
  }

  private static void requireOneLine(ElfException refusal) {
    assertFalse(refusal.getMessage().contains("\n"), refusal.getMessage());
  }

  private static byte[] with(byte[] original, int at, int value) {
    byte[] changed = original.clone();
    changed[at] = (byte) value;
    return changed;
  }
}
