package dev.lamina.device.cuda;

import dev.lamina.device.Buffer;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.DeviceTensor;
import dev.lamina.device.Kernel;
import dev.lamina.device.MemoryLimit;
import dev.lamina.device.OutOfDeviceMemoryException;
import dev.lamina.device.Step;
import dev.lamina.device.UnsupportedOnDeviceException;
import dev.lamina.device.cuda.library.CudaLibraries;
import dev.lamina.device.cuda.library.PrivateCache;
import dev.lamina.graph.Op;
import dev.lamina.graph.TypeInference;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import jcuda.driver.CUevent;

/** An NVIDIA GPU. Steps are enqueued on one stream and run in their order; whole steps are recorded and replayed. */
public final class CudaDevice implements Device {
  /** What is left to the driver, which compiles and loads while we run. */
  private static final long DRIVER_BYTES = 256L << 20;

  /**
   * What is left beside that on a GPU that drives a display: some windows more, each with buffers as large as itself
   * (33 MB at 3840 × 2160), and a browser or two that draw on the GPU. When there is nothing left, the desktop stutters
   * or loses windows, and nobody asked it to.
   */
  private static final long DISPLAY_BYTES = 768L << 20;

  /** What a kernel is prepared for. */
  private record Request(Op op, List<TensorType> inputs) {}

  private final CudaContext context;
  private final MemoryLimit limit;
  private final CUevent consumed;
  private final HostTransfers transfers;
  private final KernelChoice kernels;
  private final Map<Request, Kernel> prepared = new HashMap<>();
  private final Set<CudaBuffer> buffers = new HashSet<>();
  private boolean closed;

  /**
   * Opens a GPU.
   *
   * @param libraries what was found and loaded
   * @param ordinal its number
   * @param options wishes that concern it
   * @throws CudaException if it does not answer
   */
  public CudaDevice(CudaLibraries libraries, int ordinal, DeviceOptions options) {
    context = new CudaContext(ordinal, "1".equals(System.getenv(CudaContext.WAIT)));
    limit = options.memoryLimit();
    consumed = CapturedStep.event(context);
    transfers = new HostTransfers(context, new PinnedMemory(context, libraries.driver().path()), consumed);
    kernels =
        new KernelChoice(
            context,
            libraries,
            options,
            PrivateCache.open(System.getenv()),
            buffers,
            Math.min(context.memory()[1], limit.of(context.memory()[1])),
            this::availableMemory);
  }

  @Override
  public String name() {
    return context.ordinal() == 0 ? "cuda" : "cuda:" + context.ordinal();
  }

  @Override
  public String description() {
    return context.gpu()
        + ", compute capability "
        + context.capability() / 10
        + "."
        + context.capability() % 10
        + String.format(java.util.Locale.ROOT, ", %.1f GiB", context.memory()[1] / (double) (1 << 30));
  }

  @Override
  public synchronized long availableMemory() {
    long[] memory = context.memory();
    long headroom = DRIVER_BYTES + (context.drivesDisplay() ? DISPLAY_BYTES : 0);
    return limit.remaining(memory[0] - headroom, memory[1], taken());
  }

  private long taken() {
    return buffers.stream().mapToLong(CudaBuffer::bytes).sum();
  }

  @Override
  public synchronized Buffer allocate(long bytes) {
    requireOpen();
    long allowed = limit.of(context.memory()[1]) - taken();
    if (bytes > allowed) {
      throw new OutOfDeviceMemoryException(
          bytes + " bytes were asked for, the limit leaves " + Math.max(0, allowed) + " of " + context.gpu());
    }
    return new CudaBuffer(context, bytes, buffers);
  }

  @Override
  public HostTensor allocateHost(TensorType type) {
    requireOpen();
    return transfers.allocate(type);
  }

  @Override
  public Ticket upload(HostTensor source, DeviceTensor target) {
    requireSame(source, target);
    return transfers.upload(source, target);
  }

  @Override
  public Ticket stage(HostTensor source, DeviceTensor target) {
    requireSame(source, target);
    return transfers.stage(source, target);
  }

  @Override
  public void download(DeviceTensor source, HostTensor target) {
    requireSame(target, source);
    transfers.download(source, target);
  }

  private static void requireSame(HostTensor host, DeviceTensor device) {
    if (!host.type().equals(device.type())) {
      throw new IllegalArgumentException(
          "cannot copy between " + host.type() + " on the host and " + device.type() + " on the GPU");
    }
  }

  @Override
  public Kernel prepare(Op op, List<TensorType> inputs) {
    requireOpen();
    context.enter();
    return prepared.computeIfAbsent(
        new Request(op, List.copyOf(inputs)),
        request -> {
          requireSupported(op, request.inputs);
          CudaKernel kernel = kernels.prepare(op, request.inputs);
          return context.waitsForEach()
              ? new AwaitedKernel(context, kernel, op.label() + " " + request.inputs)
              : kernel;
        });
  }

  @Override
  public Kernel forecast(Op op, List<TensorType> inputs) {
    requireOpen();
    context.enter();
    Kernel known = prepared.get(new Request(op, List.copyOf(inputs)));
    if (known != null) {
      return known;
    }
    requireSupported(op, inputs);
    return kernels.forecast(op, inputs);
  }

  private void requireSupported(Op op, List<TensorType> inputs) {
    TypeInference.infer(op, inputs);
    unsupported(op, inputs)
        .ifPresent(reason -> {
          throw new UnsupportedOnDeviceException(op.label() + ": " + reason);
        });
  }

  @Override
  public Optional<String> unsupported(Op op, List<TensorType> inputs) {
    return kernels.unsupported(op, inputs);
  }

  @Override
  public Step copy(List<DeviceTensor> from, List<DeviceTensor> to) {
    requireOpen();
    Step step = kernels.copy(from, to);
    if (!context.waitsForEach()) {
      return step;
    }
    return () -> {
      step.run();
      context.synchronize("copies");
    };
  }

  @Override
  public Replay capture(String name, Step intake, List<Step> steps) {
    return new CapturedStep(context, transfers, name, intake, steps, consumed);
  }

  @Override
  public boolean warmsUp() {
    return false;
  }

  @Override
  public void synchronize() {
    requireOpen();
    context.enter();
    context.synchronize("a step");
  }

  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      if (!context.isLost()) {
        context.enter();
        context.synchronize("the last step");
      }
    } finally {
      // When the last step was where a fault was heard of, the context is lost, and nothing is left but to release it.
      kernels.close();
      transfers.close();
      CapturedStep.destroy(context, consumed);
      List.copyOf(buffers).forEach(CudaBuffer::close);
      context.close();
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the CUDA device was used after it was closed");
    }
  }
}
