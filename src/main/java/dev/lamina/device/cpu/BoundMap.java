package dev.lamina.device.cpu;

/**
 * A map with its addresses. Its methods allocate nothing once every thread has been here, and distinct elements may be
 * computed by several threads at once.
 */
abstract class BoundMap implements Workers.Task {
  /**
   * Elements of a chunk: 64 KiB of floats, some ten microseconds of work, a hundred times what handing it out costs.
   */
  static final long CHUNK = 16 * 1024;

  private final long size;

  BoundMap(long size) {
    this.size = size;
  }

  /** Computes all elements. */
  final void run(Workers workers) {
    if (size <= CHUNK) {
      range(0, size);
    } else {
      workers.run(this, Math.toIntExact((size + CHUNK - 1) / CHUNK));
    }
  }

  @Override
  public final void run(int chunk) {
    range(chunk * CHUNK, Math.min(size, (chunk + 1) * CHUNK));
  }

  /**
   * Computes the elements of flat indices {@code start} to {@code end − 1}: for a kernel that has just made or is about
   * to read them.
   */
  abstract void range(long start, long end);

  /**
   * Computes {@code count} elements from flat index {@code start} on, the first output to {@code destination} instead
   * of its place.
   */
  abstract void into(long start, int count, long destination);

  /**
   * Computes a tile of an output in the layout [pixels][channels].
   *
   * @param first flat index of the tile's upper left element
   * @param rows pixels
   * @param columns channels; the tile does not reach beyond the last channel
   * @param rowStride elements from one row to the next; a multiple of the number of channels
   */
  abstract void rectangle(long first, int rows, int columns, long rowStride);

  /**
   * As {@link #rectangle} for a map whose first output is {@linkplain MapKernel#sumsColumns summed}: adds it to {@code
   * columns} sums of {@link CompensatedSums#addEach}.
   */
  abstract void sum(long first, int rows, int columns, long rowStride, long sums);
}
