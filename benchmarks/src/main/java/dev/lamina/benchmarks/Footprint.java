package dev.lamina.benchmarks;

/** Where the values of a benchmark lie, by their number. Rows of 64, so that there are channels to normalise. */
public enum Footprint {
  /** 8 KiB a tensor: three of them fit beside each other in 32 KiB. */
  L1(1 << 11),
  /** 256 KiB a tensor: three fit in the second-level caches of most processors. */
  L2(1 << 16),
  /**
   * 32 MiB a tensor: two of them are beyond the last-level cache of most. Not more, for the reference device follows.
   */
  DRAM(1 << 23);

  /** Values of a row. */
  static final int CHANNELS = 64;

  private final int elements;

  Footprint(int elements) {
    this.elements = elements;
  }

  /** Values of a tensor. */
  int elements() {
    return elements;
  }

  /** Rows of {@link #CHANNELS}. */
  int rows() {
    return elements / CHANNELS;
  }
}
