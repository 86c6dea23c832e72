package dev.lamina.tensor;

/**
 * What is known of a tensor before it has values.
 *
 * @param shape its extents
 * @param dtype the type of an element
 */
public record TensorType(Shape shape, DType dtype) {

  /** A 32-bit floating-point tensor of the given dimensions. */
  public static TensorType f32(int... dims) {
    return new TensorType(Shape.of(dims), DType.F32);
  }

  /** A tensor of the given type and dimensions. */
  public static TensorType of(DType dtype, int... dims) {
    return new TensorType(Shape.of(dims), dtype);
  }

  /** The type of a batch of {@code count} tensors of this one. */
  public TensorType batched(int count) {
    return new TensorType(shape.batched(count), dtype);
  }

  /** Memory of the dense tensor in bytes, without padding. */
  public long bytes() {
    return shape.size() * dtype.bytes();
  }

  /** For example {@code F32[128,10]}. */
  @Override
  public String toString() {
    return dtype + shape.toString();
  }
}
