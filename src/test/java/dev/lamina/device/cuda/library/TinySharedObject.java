package dev.lamina.device.cuda.library;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Shared objects with nothing but a name and what they need: enough to be found, not to be loaded. */
final class TinySharedObject {
  private static final int STRINGS = 256;

  private TinySharedObject() {}

  static Path write(Path file, String soname, String... needed) {
    try {
      Files.createDirectories(file.getParent());
      return Files.write(file, bytes(soname, needed));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** One segment that is the whole file at address 0, dynamic entries at 176, strings at 256 plus their length. */
  static byte[] bytes(String soname, String... needed) {
    var strings = new ByteArrayOutputStream();
    strings.write(0);
    ByteBuffer file = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
    int dynamic = 64 + 2 * 56;
    int start = STRINGS + 16 * needed.length;
    file.position(dynamic);
    for (String name : needed) {
      file.putLong(1).putLong(append(strings, name));
    }
    file.putLong(14).putLong(append(strings, soname));
    file.putLong(5).putLong(start).putLong(10).putLong(strings.size());
    file.putLong(0).putLong(0);
    int end = file.position();
    file.put(0, new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1}).putShort(16, (short) 3).putShort(18, (short) 62);
    file.putInt(20, 1).putLong(32, 64).putShort(54, (short) 56).putShort(56, (short) 2);
    int length = start + strings.size();
    file.putInt(64, 1).putLong(64 + 32, length);
    file.putInt(120, 2).putLong(120 + 8, dynamic).putLong(120 + 16, dynamic).putLong(120 + 32, end - dynamic);
    file.put(start, strings.toByteArray());
    byte[] bytes = new byte[length];
    file.get(0, bytes);
    return bytes;
  }

  private static int append(ByteArrayOutputStream strings, String name) {
    int at = strings.size();
    strings.writeBytes(name.getBytes(StandardCharsets.US_ASCII));
    strings.write(0);
    return at;
  }
}
