package dev.lamina.device.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * All of the machine's memory as one segment, reached by absolute address.
 *
 * <p>Kernels work on one arena whose layout the memory plan decides, so an address is all they need; a segment per
 * tensor would only add a liveness check per load. Nothing here checks bounds: whoever hands out addresses answers for
 * them.
 */
@SuppressWarnings("restricted") // reinterpret: the one place where raw addresses become memory
final class Memory {
  /** Everything; offsets are addresses. */
  static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  /** A cache line, and the widest vector. Arrays start on it. */
  static final long ALIGNMENT = 64;

  /** Four-byte floats at any address. */
  static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

  private static final long ZERO_BYTES = 4096;

  /** 1024 floats of zero that nobody writes: what a sum starts from. */
  static final long ZEROS = Arena.global().allocate(ZERO_BYTES, ALIGNMENT).address();

  static {
    // The classes of segments are loaded before anything is compiled: of one that comes later, C2 would have to undo
    // every loop that reads memory, in the middle of a training.
    MemorySegment.ofArray(new byte[1]);
    MemorySegment.ofArray(new int[1]);
    MemorySegment.ofArray(new long[1]);
    MemorySegment.ofArray(new float[1]);
  }

  private Memory() {}

  static float get(long address) {
    return ALL.get(FLOAT, address);
  }

  static void set(long address, float value) {
    ALL.set(FLOAT, address, value);
  }

  /** Fills {@code bytes} bytes with zero. Not {@link MemorySegment#fill}: its slice was seen to become an object. */
  static void clear(long address, long bytes) {
    for (long done = 0; done < bytes; done += ZERO_BYTES) {
      copy(ZEROS, address + done, Math.min(ZERO_BYTES, bytes - done));
    }
  }

  static void copy(long from, long to, long bytes) {
    MemorySegment.copy(ALL, from, ALL, to, bytes);
  }

  /**
   * Brings memory into the caches in the order of its addresses, which the processor foresees: of panels, each a part
   * of every pixel, it waits for almost every line. Something that was read goes to {@code scratch}: C2 would leave out
   * what nobody uses.
   */
  static void fetch(long address, long bytes, long scratch) {
    int all = 0;
    for (long at = address; at < address + bytes; at += ALIGNMENT) {
      all |= ALL.get(INT, at);
    }
    ALL.set(INT, scratch, all);
  }

  /** {@code bytes} rounded up to whole cache lines. */
  static long aligned(long bytes) {
    return (bytes + ALIGNMENT - 1) & -ALIGNMENT;
  }
}
