package dev.lamina.device.cpu;

import dev.lamina.graph.Philox;
import dev.lamina.graph.RandomStream;

/** Fills memory with the words of a {@link RandomStream}, in the order of the elements. */
@FunctionalInterface
interface RandomWords {
  /**
   * Writes the words of elements 4·{@code firstBlock} to 4·({@code firstBlock} + {@code blocks}) − 1 to {@code
   * address}, and on to the end of a vector of blocks, 28 words at most.
   */
  void fill(long address, RandomStream stream, int step, long firstBlock, int blocks);

  /** One word after the other. */
  static void scalar(long address, RandomStream stream, int step, long firstBlock, int blocks) {
    for (int i = 0; i < 4 * blocks; i++) {
      ScalarAccess.setInt(address + 4L * i, (int) Philox.word(stream, step, 4 * firstBlock + i));
    }
  }
}
