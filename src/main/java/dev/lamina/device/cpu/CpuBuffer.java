package dev.lamina.device.cpu;

import dev.lamina.device.Buffer;
import dev.lamina.device.DeviceTensor;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Set;

/** Off-heap memory with an address. A vector may be read that begins in it and ends behind it. */
final class CpuBuffer implements Buffer {
  private final Arena arena = Arena.ofShared();
  private final long address;
  private final long bytes;
  private final Set<CpuBuffer> owner;
  private boolean closed;

  /** Zeroed memory that leaves {@code owner}, where it is entered, when it is closed. */
  CpuBuffer(long bytes, Set<CpuBuffer> owner) {
    this.address = arena.allocate(bytes + Memory.ALIGNMENT, Memory.ALIGNMENT).address();
    this.bytes = bytes;
    this.owner = owner;
    owner.add(this);
  }

  /** Where {@code tensor} begins. */
  static long address(DeviceTensor tensor) {
    return ((CpuBuffer) tensor.buffer()).address + tensor.offset();
  }

  /** Where each of {@code tensors} begins. */
  static long[] addresses(List<DeviceTensor> tensors) {
    return tensors.stream().mapToLong(CpuBuffer::address).toArray();
  }

  @Override
  public long bytes() {
    return bytes;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      owner.remove(this);
      arena.close();
    }
  }
}
