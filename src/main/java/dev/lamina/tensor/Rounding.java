package dev.lamina.tensor;

/** Conversions between {@code double} and the 16-bit floating-point types, each rounded once, to nearest even. */
public final class Rounding {
  private Rounding() {}

  /** {@code value} as an element of {@code dtype} would hold it. */
  public static double to(DType dtype, double value) {
    return switch (dtype) {
      case F64 -> value;
      case F32 -> (float) value;
      case BF16 -> bfloat16ToFloat(doubleToBfloat16(value));
      case F16 -> Float.float16ToFloat(doubleToFloat16(value));
      case I32 -> (int) value;
      case U8 -> (int) value & 0xff;
    };
  }

  /** The {@code float} with the given upper 16 bits. */
  public static float bfloat16ToFloat(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  /** The nearest bfloat16 to {@code value}; NaN stays NaN. */
  public static short doubleToBfloat16(double value) {
    if (Double.isNaN(value)) {
      return (short) 0x7fc0;
    }
    int bits = Float.floatToRawIntBits(roundToOdd(value));
    int roundUp = 0x7fff + ((bits >>> 16) & 1);
    return (short) ((bits + roundUp) >>> 16);
  }

  /** The nearest binary16 to {@code value}; NaN stays NaN. */
  public static short doubleToFloat16(double value) {
    return Float.floatToFloat16(roundToOdd(value));
  }

  /**
   * To a float whose last bit says whether anything was cut off. Rounding that again to a narrower type gives the
   * nearest of the original: without it the two roundings can disagree with one (Boldo and Melquiond, "Emulation of a
   * FMA and correctly rounded sums", 2008).
   */
  private static float roundToOdd(double value) {
    float nearest = (float) value;
    if (nearest == value || Float.isNaN(nearest)) {
      return nearest;
    }
    float towardZero = Math.abs((double) nearest) > Math.abs(value) ? Math.nextAfter(nearest, 0.0) : nearest;
    return Float.intBitsToFloat(Float.floatToRawIntBits(towardZero) | 1);
  }
}
