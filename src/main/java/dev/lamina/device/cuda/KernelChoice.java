package dev.lamina.device.cuda;

import dev.lamina.device.DeviceOptions;
import dev.lamina.device.DeviceTensor;
import dev.lamina.device.Step;
import dev.lamina.device.cuda.library.CudaLibraries;
import dev.lamina.device.cuda.library.PrivateCache;
import dev.lamina.graph.Op;
import dev.lamina.tensor.TensorType;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;

/** Which library or kernel does an operation, and why there is none. */
final class KernelChoice implements AutoCloseable {
  private final CudaContext context;
  private final ModuleCache modules;
  private final Cublas cublas;
  private final Cudnn cudnn;
  private final Convolutions convolutions;
  private final CudaKernels own = new CudaKernels();

  /**
   * Kernels whose own memory belongs to {@code owner}.
   *
   * @param memory bytes that the GPU has for this process, who else uses it or not
   * @param available tells how many bytes may be allocated now
   */
  KernelChoice(
      CudaContext context,
      CudaLibraries libraries,
      DeviceOptions options,
      PrivateCache cache,
      Set<CudaBuffer> owner,
      long memory,
      LongSupplier available) {
    MathMode math = options.exactProducts() ? MathMode.FP32 : MathMode.TF32;
    this.context = context;
    modules = new ModuleCache(context, new Nvrtc(libraries.nvrtc().path()), cache);
    cublas = new Cublas(context, math, owner);
    cudnn = new Cudnn(context);
    convolutions =
        new Convolutions(
            context, cudnn, libraries.cudnn().path(), math, options.deterministic(), cache, memory, available);
  }

  /** A new kernel for an operation that is not {@link #unsupported}. */
  CudaKernel prepare(Op op, List<TensorType> in) {
    return switch (op) {
      case Op.MatMul product -> cublas.product(product, in);
      case Op.Conv2d _, Op.Conv2dInputGradient _, Op.Conv2dFilterGradient _ when !CudaKernels.isDepthwise(op, in) ->
          convolutions.prepare(op, in, this::prepare);
      default -> new LaunchKernel(context, modules, own, op, in);
    };
  }

  /** What {@link #prepare} is going to need; nothing is tried, and nothing allocated. */
  CudaKernel forecast(Op op, List<TensorType> in) {
    return switch (op) {
      case Op.Conv2d _, Op.Conv2dInputGradient _, Op.Conv2dFilterGradient _ when !CudaKernels.isDepthwise(op, in) ->
          convolutions.forecast(op, in, this::forecast);
      default -> prepare(op, in);
    };
  }

  /** Copies of all bytes, in as few launches as may be. */
  Step copy(List<DeviceTensor> from, List<DeviceTensor> to) {
    long[] sources = from.stream().mapToLong(CudaBuffer::address).toArray();
    long[] targets = to.stream().mapToLong(CudaBuffer::address).toArray();
    long[] bytes = from.stream().mapToLong(tensor -> tensor.type().bytes()).toArray();
    return LaunchKernel.bound(context, modules, CopyLaunches.several(sources, targets, bytes), "copies");
  }

  /** Why {@link #prepare} cannot be called, in words that follow the operation's name; empty if it can. */
  Optional<String> unsupported(Op op, List<TensorType> in) {
    return switch (op) {
      case Op.MatMul _ -> Cublas.unsupported(in);
      case Op.Conv2d _, Op.Conv2dInputGradient _, Op.Conv2dFilterGradient _ when !CudaKernels.isDepthwise(op, in) ->
          CudnnConvolution.unsupported(in.getFirst().dtype(), context.capability());
      default -> own.unsupported(op, in);
    };
  }

  @Override
  public void close() {
    cudnn.close();
    cublas.close();
    modules.close();
  }
}
