package dev.lamina.device.cpu;

import dev.lamina.device.Buffer;
import dev.lamina.device.DeviceTensor;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Set;

/** Off-heap memory with an address. A vector may be read that begins in it and ends behind it. */
final class CpuBuffer implements Buffer {
  private final Runnable free;
  private final long address;
  private final long bytes;
  private final Set<CpuBuffer> owner;
  private boolean closed;

  /** Zeroed memory that leaves {@code owner}, where it is entered, when it is closed. */
  CpuBuffer(long bytes, Set<CpuBuffer> owner) {
    // A vector may read beyond the end.
    long room = bytes + Memory.ALIGNMENT;
    if (HugePages.suit(room)) {
      HugePages.Mapping mapping = HugePages.map(room);
      free = mapping::free;
      address = mapping.address();
    } else {
      Arena arena = Arena.ofShared();
      free = arena::close;
      address = arena.allocate(room, Memory.ALIGNMENT).address();
    }
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
      free.run();
    }
  }
}
