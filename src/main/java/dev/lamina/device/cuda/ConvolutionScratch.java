package dev.lamina.device.cuda;

import static jcuda.driver.JCudaDriver.cuMemcpyDtoDAsync;
import static jcuda.driver.JCudaDriver.cuMemcpyHtoDAsync;

import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * Memory to try a convolution on: operands of noise, for a GPU computes faster with zeros, and one workspace for all
 * who try.
 */
final class ConvolutionScratch implements AutoCloseable {
  /** Elements of noise, which repeat. */
  private static final int NOISE = 1 << 16;

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
      List<Long> addresses;
      try (Arena arena = Arena.ofConfined()) {
        HostTensor noise = noise(arena, shape.dtype());
        addresses = shape.operands().stream().map(operand -> filled(noise, operand.size())).toList();
      }
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

  private static HostTensor noise(Arena arena, DType dtype) {
    HostTensor noise = HostTensor.allocate(arena, TensorType.of(dtype, NOISE));
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < NOISE; i++) {
      noise.set(i, random.nextDouble(-1, 1));
    }
    return noise;
  }

  /** Memory for so many elements, filled with what lies in front of them, twice as much each time. */
  private long filled(HostTensor noise, long elements) {
    long bytes = elements * noise.type().dtype().bytes();
    long address = new CudaBuffer(context, bytes, buffers).address();
    long begun = Math.min(bytes, noise.type().bytes());
    context.check(
        cuMemcpyHtoDAsync(
            new Address.OnDevice(address), new Address.Plain(noise.segment().address()), begun, context.compute()),
        "cuMemcpyHtoDAsync of noise");
    for (long done = begun; done < bytes; done *= 2) {
      context.check(
          cuMemcpyDtoDAsync(
              new Address.OnDevice(address + done),
              new Address.OnDevice(address),
              Math.min(done, bytes - done),
              context.compute()),
          "cuMemcpyDtoDAsync of noise");
    }
    // The host's memory is given back next.
    context.synchronize("the copies of noise");
    return address;
  }

  @Override
  public void close() {
    List.copyOf(buffers).forEach(CudaBuffer::close);
  }
}
