package dev.lamina.device;

import dev.lamina.graph.Op;

/**
 * How far a model has been made ready for a device, kernel by kernel. The first time, that can take longer than a first
 * epoch: a device may time algorithms, and compile.
 *
 * @param stage what is being done
 * @param done kernels with which that has been done
 * @param all kernels with which it is going to be done
 * @param next the operation whose kernel comes next
 */
public record Preparation(Stage stage, int done, int all, Op next) {

  /** One after the other, each for all kernels. */
  public enum Stage {
    /** Algorithms are chosen: by what is known of them, by trying them, or as they were before. */
    CHOOSING,
    /** Addresses are fixed, and code is compiled for them. */
    BINDING
  }
}
