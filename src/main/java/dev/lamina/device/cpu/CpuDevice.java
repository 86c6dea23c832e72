package dev.lamina.device.cpu;

import dev.lamina.device.Buffer;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.DeviceTensor;
import dev.lamina.device.HostMemory;
import dev.lamina.device.Kernel;
import dev.lamina.device.MemoryLimit;
import dev.lamina.device.OutOfDeviceMemoryException;
import dev.lamina.device.UnsupportedOnDeviceException;
import dev.lamina.graph.Op;
import dev.lamina.graph.TypeInference;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The processors of this machine: all of them work on one kernel at a time, with vectors if the virtual machine has
 * them.
 *
 * <p>Work is cut by size alone and sums have a fixed order, so results are the same bits for any number of threads.
 * Kernels trust the addresses they are given.
 */
public final class CpuDevice implements Device {
  static final String NAME = "cpu";

  /** What a kernel is prepared for. */
  private record Request(Op op, List<TensorType> inputs) {}

  private final Workers workers;
  private final MemoryLimit limit;
  private final CpuKernels kernels;
  private final Map<Request, Kernel> prepared = new HashMap<>();
  private final Set<CpuBuffer> buffers = new HashSet<>();
  private final Arena hostArena = Arena.ofShared();
  private boolean closed;

  /** A device with the given wishes and the widest vectors there are. */
  public CpuDevice(DeviceOptions options) {
    this(options, VectorSupport.FOUND.bits());
  }

  /** A device with vectors of {@code vectorBits} bits, those of the process or 0 for scalar code. */
  CpuDevice(DeviceOptions options, int vectorBits) {
    workers = new Workers(threads(options));
    limit = options.memoryLimit();
    kernels = new CpuKernels(workers, vectorBits);
    WarmUp.start(vectorBits);
  }

  /** The threads that run its kernels. */
  Workers workers() {
    return workers;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String description() {
    return description(workers.threads());
  }

  /** As many as wished, or one for each core. */
  static int threads(DeviceOptions options) {
    return options.threads() == 0 ? Runtime.getRuntime().availableProcessors() : options.threads();
  }

  static String description(int threads) {
    return threads + (threads == 1 ? " thread, " : " threads, ") + VectorSupport.FOUND.reason();
  }

  @Override
  public synchronized long availableMemory() {
    long taken = buffers.stream().mapToLong(CpuBuffer::bytes).sum();
    return limit.remaining(HostMemory.available(), HostMemory.total(), taken);
  }

  @Override
  public synchronized Buffer allocate(long bytes) {
    requireOpen();
    if (bytes > availableMemory()) {
      throw outOfMemory(bytes);
    }
    try {
      return new CpuBuffer(bytes, buffers);
    } catch (OutOfMemoryError _) {
      throw outOfMemory(bytes);
    }
  }

  private OutOfDeviceMemoryException outOfMemory(long bytes) {
    return new OutOfDeviceMemoryException(
        bytes + " bytes were asked for, the host has " + availableMemory() + " to give");
  }

  @Override
  public HostTensor allocateHost(TensorType type) {
    requireOpen();
    return HostTensor.allocate(hostArena, type);
  }

  @Override
  public Ticket upload(HostTensor source, DeviceTensor target) {
    requireSame(source, target);
    MemorySegment.copy(source.segment(), 0, Memory.ALL, CpuBuffer.address(target), source.segment().byteSize());
    return Ticket.DONE;
  }

  @Override
  public void download(DeviceTensor source, HostTensor target) {
    requireSame(target, source);
    MemorySegment.copy(Memory.ALL, CpuBuffer.address(source), target.segment(), 0, target.segment().byteSize());
  }

  private static void requireSame(HostTensor host, DeviceTensor device) {
    if (!host.type().equals(device.type())) {
      throw new IllegalArgumentException(
          "cannot copy between " + host.type() + " on the host and " + device.type() + " on the CPU device");
    }
  }

  @Override
  public Kernel prepare(Op op, List<TensorType> inputs) {
    requireOpen();
    return prepared.computeIfAbsent(
        new Request(op, List.copyOf(inputs)),
        request -> {
          TypeInference.infer(op, request.inputs);
          kernels
              .refusal(op, request.inputs)
              .ifPresent(reason -> {
                throw new UnsupportedOnDeviceException(op.label() + ": " + reason);
              });
          return kernels.prepare(op, request.inputs);
        });
  }

  @Override
  public Optional<String> unsupported(Op op, List<TensorType> inputs) {
    return kernels.unsupported(op, inputs);
  }

  @Override
  public void synchronize() {
    requireOpen();
  }

  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    workers.close();
    List.copyOf(buffers).forEach(CpuBuffer::close);
    hostArena.close();
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the CPU device was used after it was closed");
    }
  }
}
