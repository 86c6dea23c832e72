package dev.lamina.device.cuda;

import java.util.List;

/**
 * One start of a kernel: all that a driver has to be told, and the text that has to be compiled first. Launches with
 * equal source and options share a compiled module.
 *
 * @param source CUDA C++ without includes
 * @param options for the compiler, beside those that name the architecture
 * @param entry name of the {@code extern "C"} kernel
 * @param grid blocks
 * @param block threads of a block
 * @param shared bytes of dynamic shared memory
 * @param arguments in the order of the kernel's parameters
 */
public record Launch(
    String source, List<String> options, String entry, int grid, int block, int shared, List<Argument> arguments) {

  /** Threads of every block: four warps more would leave too few registers, four fewer too little to wait for. */
  static final int BLOCK = 256;

  /**
   * Blocks of a kernel whose threads stride over what is left: enough for four rounds of eight blocks on each of 132
   * multiprocessors, more where registers leave room for fewer, so that the last round is a small part of all.
   */
  static final int MOST_BLOCKS = 4224;

  public Launch {
    options = List.copyOf(options);
    arguments = List.copyOf(arguments);
    if (grid < 1 || block < 1) {
      throw new IllegalArgumentException(
          entry + ": expected at least one block and thread, got " + grid + ", " + block);
    }
  }

  /** Blocks for {@code threads} threads, at most {@link #MOST_BLOCKS}. */
  static int blocksFor(long threads) {
    return Math.clamp((threads + BLOCK - 1) / BLOCK, 1, MOST_BLOCKS);
  }

  /** A parameter's value. */
  public sealed interface Argument {
    /** A pointer into the device's memory. */
    record Address(long value) implements Argument {}

    /** An {@code int}. */
    record Int32(int value) implements Argument {}

    /** A {@code long long}. */
    record Int64(long value) implements Argument {}

    /** A {@code float}. */
    record Float32(float value) implements Argument {}
  }
}
