package dev.lamina.data;

import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;

/** Where the buffers of batches come from: a device hands out memory that uploads fast. */
@FunctionalInterface
public interface HostAllocator {

  /** A tensor of zeros that every thread may use; it lives at least as long as the loader it is for. */
  HostTensor allocate(TensorType type);

  /** Plain memory of {@code arena}, which must be a shared one. */
  static HostAllocator in(Arena arena) {
    return type -> HostTensor.allocate(arena, type);
  }
}
