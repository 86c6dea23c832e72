package dev.lamina.device.cuda;

import static jcuda.driver.JCudaDriver.cuMemAlloc;
import static jcuda.driver.JCudaDriver.cuMemFree;

import dev.lamina.device.Buffer;
import dev.lamina.device.DeviceTensor;
import dev.lamina.device.OutOfDeviceMemoryException;
import java.util.Set;
import jcuda.driver.CUresult;

/** Memory of a GPU. */
final class CudaBuffer implements Buffer {
  private final CudaContext context;
  private final Set<CudaBuffer> owner;
  private final Address.OnDevice address = new Address.OnDevice();
  private final long bytes;

  /** Allocates it and enters it in {@code owner}. */
  CudaBuffer(CudaContext context, long bytes, Set<CudaBuffer> owner) {
    this.context = context;
    this.owner = owner;
    this.bytes = bytes;
    context.enter();
    int status = cuMemAlloc(address, Math.max(bytes, 1));
    if (status == CUresult.CUDA_ERROR_OUT_OF_MEMORY) {
      throw new OutOfDeviceMemoryException(
          bytes + " bytes were asked for, " + context.gpu() + " has " + context.memory()[0] + " to give");
    }
    context.check(status, "cuMemAlloc of " + bytes + " bytes");
    owner.add(this);
  }

  /** Where it begins. */
  long address() {
    return address.value();
  }

  /** Where {@code tensor} begins. */
  static long address(DeviceTensor tensor) {
    return ((CudaBuffer) tensor.buffer()).address.value() + tensor.offset();
  }

  @Override
  public long bytes() {
    return bytes;
  }

  @Override
  public void close() {
    if (owner.remove(this) && !context.isLost()) {
      context.enter();
      context.synchronize("a step before memory was given back");
      context.check(cuMemFree(address), "cuMemFree");
    }
  }
}
