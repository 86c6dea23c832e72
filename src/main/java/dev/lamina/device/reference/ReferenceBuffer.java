package dev.lamina.device.reference;

import dev.lamina.device.Buffer;
import dev.lamina.device.DeviceTensor;
import dev.lamina.tensor.HostTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Memory in an arena of its own, so that what reads or writes beside it, or after it was closed, throws. */
final class ReferenceBuffer implements Buffer {
  /**
   * All bits set: NaN in every floating-point type, −1 as an I32, 255 as a byte. What reads memory that nobody wrote
   * shows.
   */
  private static final byte POISON = (byte) 0xff;

  private final Arena arena = Arena.ofShared();
  private final MemorySegment segment;
  private final Ledger ledger;
  private volatile boolean closed;

  ReferenceBuffer(long bytes, Ledger ledger) {
    this.ledger = ledger;
    segment = arena.allocate(Math.max(bytes, 1), HostTensor.ALIGNMENT).asSlice(0, bytes).fill(POISON);
    ledger.opened(this);
  }

  /** The buffer that {@code tensor} lies in. */
  static ReferenceBuffer of(DeviceTensor tensor) {
    if (tensor.buffer() instanceof ReferenceBuffer buffer) {
      return buffer;
    }
    throw new IllegalArgumentException("the memory of " + tensor.type() + " belongs to another device");
  }

  /** {@code tensor}'s elements, where they lie. */
  static HostTensor view(DeviceTensor tensor) {
    ReferenceBuffer buffer = of(tensor);
    buffer.requireOpen();
    long bytes = tensor.type().bytes();
    if (tensor.offset() < 0 || tensor.offset() > buffer.bytes() - bytes) {
      throw new IndexOutOfBoundsException(
          tensor.type()
              + " at byte "
              + tensor.offset()
              + " does not lie within a buffer of "
              + buffer.bytes()
              + " bytes");
    }
    return HostTensor.over(buffer.segment.asSlice(tensor.offset(), bytes), tensor.type());
  }

  /**
   * Says so in plain words; the segment would say it too, later and shorter.
   *
   * @throws IllegalStateException if the buffer was closed
   */
  void requireOpen() {
    if (closed) {
      throw new IllegalStateException("a buffer of " + bytes() + " bytes was used after it was closed");
    }
  }

  @Override
  public long bytes() {
    return segment.byteSize();
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      ledger.closed(this);
      arena.close();
    }
  }
}
