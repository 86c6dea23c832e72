package dev.lamina.device.cpu;

import dev.lamina.device.DeviceTensor;
import dev.lamina.device.Kernel;
import dev.lamina.device.Step;
import java.util.List;

/** A kernel that needs no more of its operands than their addresses. */
interface CpuKernel extends Kernel {

  /**
   * Fixes the addresses.
   *
   * @param workspace 0 if the kernel needs none
   */
  Step bind(long[] inputs, long[] outputs, long workspace);

  @Override
  default Step bind(List<DeviceTensor> inputs, List<DeviceTensor> outputs, DeviceTensor workspace) {
    return bind(
        CpuBuffer.addresses(inputs),
        CpuBuffer.addresses(outputs),
        workspace == null ? 0 : CpuBuffer.address(workspace));
  }
}
