package dev.lamina.device;

import java.util.List;

/**
 * An operation prepared for given types on one device: all that can be decided before the addresses are known has been.
 */
public interface Kernel {

  /** Scratch memory that a run needs, in bytes, 64-byte aligned. */
  default long workspaceBytes() {
    return 0;
  }

  /**
   * Whether output {@code output} may lie in exactly the memory of input {@code input}, which the run then overwrites.
   */
  default boolean canShare(int input, int output) {
    return false;
  }

  /**
   * Fixes the addresses.
   *
   * @param inputs in the operation's order
   * @param outputs in the operation's order
   * @param workspace {@link #workspaceBytes} of scratch memory, or null if that is 0
   */
  Step bind(List<DeviceTensor> inputs, List<DeviceTensor> outputs, DeviceTensor workspace);
}
