package dev.lamina.device.cpu;

import dev.lamina.device.DeviceTensor;
import dev.lamina.device.Kernel;
import dev.lamina.device.Step;
import java.util.List;
import java.util.function.BooleanSupplier;

/** A kernel that needs no more of its operands than their addresses. */
interface CpuKernel extends Kernel {
  /** Whether the second input has changed, where nothing made of it is kept. */
  BooleanSupplier ALWAYS = () -> true;

  /**
   * Fixes the addresses.
   *
   * @param workspace 0 if the kernel needs none
   */
  Step bind(long[] inputs, long[] outputs, long workspace);

  /**
   * The same with memory of {@link #keptBytes} bytes at {@code kept}.
   *
   * @param changed as for {@link Kernel#bind(List, List, DeviceTensor, DeviceTensor, BooleanSupplier)}
   */
  default Step bind(long[] inputs, long[] outputs, long workspace, long kept, BooleanSupplier changed) {
    return bind(inputs, outputs, workspace);
  }

  @Override
  default Step bind(List<DeviceTensor> inputs, List<DeviceTensor> outputs, DeviceTensor workspace) {
    return bind(CpuBuffer.addresses(inputs), CpuBuffer.addresses(outputs), addressOrZero(workspace));
  }

  @Override
  default Step bind(
      List<DeviceTensor> inputs,
      List<DeviceTensor> outputs,
      DeviceTensor workspace,
      DeviceTensor kept,
      BooleanSupplier changed) {
    return bind(
        CpuBuffer.addresses(inputs),
        CpuBuffer.addresses(outputs),
        addressOrZero(workspace),
        CpuBuffer.address(kept),
        changed);
  }

  private static long addressOrZero(DeviceTensor memory) {
    return memory == null ? 0 : CpuBuffer.address(memory);
  }
}
