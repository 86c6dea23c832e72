package dev.lamina.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A tensor on the host: off-heap, 64-byte aligned, dense and row-major. Its memory belongs to the {@link Arena} it was
 * made with and goes with it.
 *
 * <p>Elements are reached by their flat row-major index. Not synchronised.
 */
public final class HostTensor {
  /** The alignment of every tensor in bytes: a cache line, and the widest vector. */
  public static final long ALIGNMENT = 64;

  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;
  private static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT;
  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

  private final TensorType type;
  private final MemorySegment segment;

  private HostTensor(TensorType type, MemorySegment segment) {
    this.type = type;
    this.segment = segment;
  }

  /** A tensor of zeros in {@code arena}. */
  public static HostTensor allocate(Arena arena, TensorType type) {
    return new HostTensor(type, arena.allocate(Math.max(type.bytes(), 1), ALIGNMENT).asSlice(0, type.bytes()));
  }

  /**
   * A tensor over memory that already exists.
   *
   * @throws IllegalArgumentException if the segment has another size than the type
   */
  public static HostTensor over(MemorySegment segment, TensorType type) {
    if (segment.byteSize() != type.bytes()) {
      throw new IllegalArgumentException(
          type + " needs " + type.bytes() + " bytes, the segment has " + segment.byteSize());
    }
    return new HostTensor(type, segment);
  }

  /**
   * A 32-bit tensor with the given values in row-major order.
   *
   * @throws IllegalArgumentException if the number of values is not the shape's size
   */
  public static HostTensor of(Arena arena, Shape shape, float... values) {
    if (values.length != shape.size()) {
      throw new IllegalArgumentException(
          shape + " has " + shape.size() + " elements, got " + values.length + " values");
    }
    HostTensor tensor = allocate(arena, new TensorType(shape, DType.F32));
    MemorySegment.copy(values, 0, tensor.segment, FLOAT, 0, values.length);
    return tensor;
  }

  /** Shape and element type. */
  public TensorType type() {
    return type;
  }

  /** The extents. */
  public Shape shape() {
    return type.shape();
  }

  /** The number of elements. */
  public long size() {
    return type.shape().size();
  }

  /** The memory itself, exactly {@code type().bytes()} long. */
  public MemorySegment segment() {
    return segment;
  }

  /** Element {@code index} as a {@code double}, whatever the element type; bytes are unsigned. */
  public double get(long index) {
    return switch (type.dtype()) {
      case F32 -> segment.getAtIndex(FLOAT, index);
      case F64 -> segment.getAtIndex(DOUBLE, index);
      case I32 -> segment.getAtIndex(INT, index);
      case U8 -> segment.get(BYTE, index) & 0xff;
      case F16 -> Float.float16ToFloat(segment.getAtIndex(SHORT, index));
      case BF16 -> Rounding.bfloat16ToFloat(segment.getAtIndex(SHORT, index));
    };
  }

  /** Stores {@code value}, rounded to the element type (to nearest even for floating point, truncated for integers). */
  public void set(long index, double value) {
    switch (type.dtype()) {
      case F32 -> segment.setAtIndex(FLOAT, index, (float) value);
      case F64 -> segment.setAtIndex(DOUBLE, index, value);
      case I32 -> segment.setAtIndex(INT, index, (int) value);
      case U8 -> segment.set(BYTE, index, (byte) (int) value);
      case F16 -> segment.setAtIndex(SHORT, index, Rounding.doubleToFloat16(value));
      case BF16 -> segment.setAtIndex(SHORT, index, Rounding.doubleToBfloat16(value));
    }
  }

  /** Stores {@code value} in every element. */
  public HostTensor fill(double value) {
    for (long i = 0; i < size(); i++) {
      set(i, value);
    }
    return this;
  }

  /**
   * Copies all elements of a tensor of the same type.
   *
   * @throws IllegalArgumentException if the types differ
   */
  public HostTensor copyFrom(HostTensor source) {
    if (!type.equals(source.type)) {
      throw new IllegalArgumentException("cannot copy " + source.type + " into " + type);
    }
    segment.copyFrom(source.segment);
    return this;
  }

  /** The values as {@code float}s in row-major order; for tensors that fit in an array. */
  public float[] toFloats() {
    float[] values = new float[Math.toIntExact(size())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) get(i);
    }
    return values;
  }

  /** The values as {@code double}s in row-major order; for tensors that fit in an array. */
  public double[] toDoubles() {
    double[] values = new double[Math.toIntExact(size())];
    for (int i = 0; i < values.length; i++) {
      values[i] = get(i);
    }
    return values;
  }

  @Override
  public String toString() {
    return "HostTensor " + type;
  }
}
