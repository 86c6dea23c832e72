package dev.lamina.benchmarks.suite;

import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

/** Tensors of millions of values: one block of normal ones again and again, since drawing each takes seconds. */
final class Blocks {
  /** Values of a block. A prime number of rows of 64 and then one value: no two rows of a matrix are alike. */
  static final int VALUES = 64 * 1021 + 1;

  private Blocks() {}

  /** Normal values of deviation 1, drawn from {@code seed}. */
  static HostTensor normal(Arena arena, TensorType type, long seed) {
    HostTensor tensor = HostTensor.allocate(arena, type);
    var random = new SplittableRandom(seed);
    long block = Math.min(VALUES, tensor.size());
    for (long i = 0; i < block; i++) {
      tensor.set(i, random.nextGaussian());
    }
    MemorySegment values = tensor.segment();
    long bytes = block * type.dtype().bytes();
    for (long at = bytes; at < values.byteSize(); at += bytes) {
      MemorySegment.copy(values, 0, values, at, Math.min(bytes, values.byteSize() - at));
    }
    return tensor;
  }
}
