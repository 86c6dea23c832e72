package dev.lamina.device.cuda;

import static jcuda.driver.JCudaDriver.cuMemsetD8Async;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Memory to try a convolution on: operands of zeros, and one workspace for all who try. */
final class ConvolutionScratch implements AutoCloseable {
  private final CudaContext context;
  private final Set<CudaBuffer> buffers = new HashSet<>();
  private final ConvolutionCandidate.Operands operands;

  /**
   * Operands of {@code shape}, and a workspace of {@code workspaceBytes}.
   *
   * @throws dev.lamina.device.OutOfDeviceMemoryException if the GPU has not that much left
   */
  ConvolutionScratch(CudaContext context, ConvolutionShape shape, long workspaceBytes) {
    this.context = context;
    boolean complete = false;
    try {
      long element = shape.dtype().bytes();
      List<Long> addresses = shape.operands().stream().map(operand -> zeros(element * operand.size())).toList();
      long workspace = workspaceBytes == 0 ? 0 : new CudaBuffer(context, workspaceBytes, buffers).address();
      operands = new ConvolutionCandidate.Operands(addresses.get(0), addresses.get(1), addresses.get(2), workspace);
      complete = true;
    } finally {
      if (!complete) {
        close();
      }
    }
  }

  /** What the operands of {@code shape} take together. */
  static long operandBytes(ConvolutionShape shape) {
    return shape.operands().stream().mapToLong(operand -> operand.size() * shape.dtype().bytes()).sum();
  }

  ConvolutionCandidate.Operands operands() {
    return operands;
  }

  private long zeros(long bytes) {
    long address = new CudaBuffer(context, bytes, buffers).address();
    context.check(
        cuMemsetD8Async(new Address.OnDevice(address), (byte) 0, bytes, context.compute()), "cuMemsetD8Async");
    return address;
  }

  @Override
  public void close() {
    List.copyOf(buffers).forEach(CudaBuffer::close);
  }
}
