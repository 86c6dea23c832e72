package dev.lamina.device.cuda;

import dev.lamina.device.DeviceTensor;
import dev.lamina.device.Kernel;
import dev.lamina.device.Step;
import java.util.List;

/** A kernel that knows its operands by their addresses. */
interface CudaKernel extends Kernel {

  /** {@link Kernel#bind} with addresses; {@code workspace} is 0 if none is needed. */
  Step bind(long[] inputs, long[] outputs, long workspace);

  @Override
  default Step bind(List<DeviceTensor> inputs, List<DeviceTensor> outputs, DeviceTensor workspace) {
    return bind(addresses(inputs), addresses(outputs), workspace == null ? 0 : CudaBuffer.address(workspace));
  }

  private static long[] addresses(List<DeviceTensor> tensors) {
    return tensors.stream().mapToLong(CudaBuffer::address).toArray();
  }
}
