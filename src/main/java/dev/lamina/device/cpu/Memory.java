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

  /** No address is larger, by far. */
  private static final long LARGEST = Long.MAX_VALUE >> 1;

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

  /**
   * The same address, of which C2 sees that it is one, even with an {@link #offset} added: access there is not checked
   * against the end of {@link #ALL}. In loops whose addresses come from a table, where no check can be moved out,
   * checks took as long as the arithmetic.
   */
  static long base(long address) {
    return address & LARGEST;
  }

  /** Bytes of so many floats, not negative, to add to a {@link #base}. */
  static long offset(int floats) {
    return 4L * (floats & Integer.MAX_VALUE);
  }

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
