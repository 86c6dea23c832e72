package dev.lamina.device.cpu;

import java.lang.foreign.ValueLayout;

/** What generated scalar code calls: memory by address, and a choice. */
final class ScalarAccess {
  private ScalarAccess() {}

  static float getFloat(long address) {
    return Memory.ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, address);
  }

  static int getInt(long address) {
    return Memory.ALL.get(ValueLayout.JAVA_INT_UNALIGNED, address);
  }

  static long getLong(long address) {
    return Memory.ALL.get(ValueLayout.JAVA_LONG_UNALIGNED, address);
  }

  static double getDouble(long address) {
    return Memory.ALL.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, address);
  }

  static int getUnsignedByte(long address) {
    return Memory.ALL.get(ValueLayout.JAVA_BYTE, address) & 0xff;
  }

  static void setFloat(long address, float value) {
    Memory.ALL.set(ValueLayout.JAVA_FLOAT_UNALIGNED, address, value);
  }

  static void setInt(long address, int value) {
    Memory.ALL.set(ValueLayout.JAVA_INT_UNALIGNED, address, value);
  }

  static void setLong(long address, long value) {
    Memory.ALL.set(ValueLayout.JAVA_LONG_UNALIGNED, address, value);
  }

  static void setDouble(long address, double value) {
    Memory.ALL.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, address, value);
  }

  /** Keeps the low byte. */
  static void setByte(long address, int value) {
    Memory.ALL.set(ValueLayout.JAVA_BYTE, address, (byte) value);
  }

  /** Truncates, and keeps the low byte. */
  static void setByte(long address, float value) {
    Memory.ALL.set(ValueLayout.JAVA_BYTE, address, (byte) (int) value);
  }

  static float select(boolean condition, float ifTrue, float ifFalse) {
    return condition ? ifTrue : ifFalse;
  }
}
