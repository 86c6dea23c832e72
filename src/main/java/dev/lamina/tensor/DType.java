package dev.lamina.tensor;

/** The type of one element of a tensor. */
public enum DType {
  /** IEEE 754 binary32: the working type of training. */
  F32(4),
  /** IEEE 754 binary64: the reference device's exact mode, and sums of metrics. */
  F64(8),
  /** The upper half of a binary32 (8 exponent bits, 7 stored mantissa bits). */
  BF16(2),
  /** IEEE 754 binary16. */
  F16(2),
  /** A signed 32-bit integer: class labels, counters. */
  I32(4),
  /** An unsigned byte: images, masks, the winner's position in a pooling window. */
  U8(1);

  private final int bytes;

  DType(int bytes) {
    this.bytes = bytes;
  }

  /** Size of one element in bytes. */
  public int bytes() {
    return bytes;
  }

  /** Whether values of this type are floating-point numbers. */
  public boolean isFloating() {
    return this == F32 || this == F64 || this == BF16 || this == F16;
  }
}
