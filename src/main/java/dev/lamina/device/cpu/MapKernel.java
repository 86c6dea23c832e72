package dev.lamina.device.cpu;

/** Expressions prepared for inputs of given types over a given shape. */
interface MapKernel {

  /**
   * Fixes the addresses.
   *
   * @param inputs of every input, whether it is read or not
   * @param outputs of every output; one may be that of an input that {@link #canShare} names
   */
  BoundMap bind(long[] inputs, long[] outputs);

  /**
   * Whether the output may lie exactly where the input lies: then it is as large, and each element is read before it is
   * written.
   */
  boolean canShare(int input, int output);

  /**
   * Whether {@link BoundMap#rectangle} can be called: all inputs have the shape of the output, are one value a channel,
   * or a single value.
   */
  boolean hasRectangles();

  /** Whether the first output is not stored: its values are added up by {@link BoundMap#sum}, which alone is called. */
  boolean sumsColumns();
}
