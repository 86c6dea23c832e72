package dev.lamina.device.cuda.library;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Little-endian numbers and strings of a file of which nothing is trusted: every access is checked against its end.
 *
 * @param file what messages call it
 * @param bytes the whole file
 */
record ElfBytes(String file, MemorySegment bytes) {
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Longer than any symbol of C++ that was ever seen; a string without an end stops here. */
  private static final int LONGEST_STRING = 1 << 16;

  long size() {
    return bytes.byteSize();
  }

  int u8(long offset) {
    return Byte.toUnsignedInt(bytes.get(ValueLayout.JAVA_BYTE, checked(offset, 1, "a byte")));
  }

  int u16(long offset) {
    return Short.toUnsignedInt(bytes.get(SHORT, checked(offset, 2, "a number")));
  }

  long u32(long offset) {
    return Integer.toUnsignedLong(bytes.get(INT, checked(offset, 4, "a number")));
  }

  long signed(long offset) {
    return bytes.get(LONG, checked(offset, 8, "a number"));
  }

  /** Numbers of 2⁶³ and more are refused: no address, offset or size of a shared library is that large. */
  long u63(long offset) {
    long value = signed(offset);
    if (value < 0) {
      throw refuse("the number at byte " + offset + " is too large: 0x" + Long.toHexString(value));
    }
    return value;
  }

  /** The characters from {@code offset} up to a zero, which must come before {@code end}. */
  String string(long offset, long end) {
    checked(offset, 1, "a string");
    long bound = Math.min(Math.min(end, size()), offset + LONGEST_STRING);
    for (long at = offset; at < bound; at++) {
      if (bytes.get(ValueLayout.JAVA_BYTE, at) == 0) {
        byte[] text = bytes.asSlice(offset, at - offset).toArray(ValueLayout.JAVA_BYTE);
        return new String(text, StandardCharsets.ISO_8859_1);
      }
    }
    throw refuse("the string at byte " + offset + " has no end");
  }

  /**
   * Refuses a range that is not inside the file.
   *
   * @return {@code offset}
   */
  long checked(long offset, long length, String what) {
    if (offset < 0 || length < 0 || offset > size() || length > size() - offset) {
      throw refuse(
          what + " of " + length + " bytes at byte " + offset + " is not inside the file of " + size() + " bytes");
    }
    return offset;
  }

  ElfException refuse(String why) {
    return new ElfException(file, why);
  }
}
