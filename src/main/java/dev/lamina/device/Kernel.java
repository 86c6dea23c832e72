package dev.lamina.device;

import java.util.List;
import java.util.function.BooleanSupplier;

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

  /**
   * Memory for what is made of the second input alone (a filter in the order in which it is read) and can be kept from
   * run to run while that input stays the same, in bytes; 0 if there is no such thing, or it costs nothing beside the
   * rest.
   */
  default long keptBytes() {
    return 0;
  }

  /**
   * The same as {@link #bind(List, List, DeviceTensor)}, where {@link #keptBytes} is not 0.
   *
   * @param kept as many bytes, used by nobody else
   * @param changed whether the second input may have changed since the run before
   */
  default Step bind(
      List<DeviceTensor> inputs,
      List<DeviceTensor> outputs,
      DeviceTensor workspace,
      DeviceTensor kept,
      BooleanSupplier changed) {
    return bind(inputs, outputs, workspace);
  }
}
