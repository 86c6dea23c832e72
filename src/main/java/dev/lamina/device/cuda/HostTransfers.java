package dev.lamina.device.cuda;

import static jcuda.driver.JCudaDriver.cuEventRecord;
import static jcuda.driver.JCudaDriver.cuEventSynchronize;
import static jcuda.driver.JCudaDriver.cuMemFreeHost;
import static jcuda.driver.JCudaDriver.cuMemHostAlloc;
import static jcuda.driver.JCudaDriver.cuMemcpyDtoHAsync;
import static jcuda.driver.JCudaDriver.cuMemcpyHtoDAsync;
import static jcuda.driver.JCudaDriver.cuStreamWaitEvent;

import dev.lamina.device.Device.Ticket;
import dev.lamina.device.DeviceTensor;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import jcuda.driver.CUevent;

/** Copies between the host and the GPU. */
final class HostTransfers implements AutoCloseable {
  /** Uploads that may be under way; the ticket of an older one waits a little longer than it must. */
  private static final int TICKETS = 64;

  private final CudaContext context;
  private final CUevent consumed;
  private final List<Address.Plain> pinned = new ArrayList<>();
  private final Transfer[] ring = new Transfer[TICKETS];
  private final IdentityHashMap<HostTensor, Address.Plain> sources = new IdentityHashMap<>();
  private final IdentityHashMap<DeviceTensor, Address.OnDevice> targets = new IdentityHashMap<>();
  private int next;

  /** An upload under way. */
  private final class Transfer implements Ticket {
    private final CUevent done = CapturedStep.event(context);

    @Override
    public void await() {
      context.enter();
      context.check(cuEventSynchronize(done), "an upload");
    }
  }

  /** Transfers between which and the intake of steps {@code consumed} lies. */
  HostTransfers(CudaContext context, CUevent consumed) {
    this.context = context;
    this.consumed = consumed;
    for (int i = 0; i < TICKETS; i++) {
      ring[i] = new Transfer();
    }
  }

  /** Page-locked memory of zeros: the GPU reads it by itself. */
  @SuppressWarnings("restricted") // the address is a new allocation's, of at least this size
  synchronized HostTensor allocate(TensorType type) {
    context.enter();
    Address.Plain address = new Address.Plain();
    long bytes = Math.max(type.bytes(), 1);
    context.check(cuMemHostAlloc(address, bytes, 0), "cuMemHostAlloc of " + bytes + " bytes");
    pinned.add(address);
    MemorySegment memory = MemorySegment.ofAddress(address.value()).reinterpret(bytes).fill((byte) 0);
    return HostTensor.over(memory.asSlice(0, type.bytes()), type);
  }

  /** In order with the steps. */
  synchronized Ticket upload(HostTensor source, DeviceTensor target) {
    context.enter();
    context.check(
        cuMemcpyHtoDAsync(
            new Address.OnDevice(CudaBuffer.address(target)),
            new Address.Plain(source.segment().address()),
            target.type().bytes(),
            context.compute()),
        "cuMemcpyHtoDAsync of " + target.type());
    return ticket(context.compute());
  }

  /** Beside the step under way; the next one waits for it. */
  synchronized Ticket stage(HostTensor source, DeviceTensor target) {
    context.enter();
    Address.OnDevice place = targets.get(target);
    if (place == null) {
      place = new Address.OnDevice(CudaBuffer.address(target));
      targets.put(target, place);
    }
    Address.Plain from = sources.get(source);
    if (from == null) {
      from = new Address.Plain(source.segment().address());
      sources.put(source, from);
    }
    context.check(cuStreamWaitEvent(context.copies(), consumed, 0), "cuStreamWaitEvent");
    context.check(
        cuMemcpyHtoDAsync(place, from, target.type().bytes(), context.copies()), "cuMemcpyHtoDAsync of a staged input");
    Transfer transfer = ticket(context.copies());
    context.check(cuStreamWaitEvent(context.compute(), transfer.done, 0), "cuStreamWaitEvent");
    return transfer;
  }

  private Transfer ticket(jcuda.driver.CUstream stream) {
    Transfer transfer = ring[next];
    next = (next + 1) % TICKETS;
    context.check(cuEventRecord(transfer.done, stream), "cuEventRecord");
    return transfer;
  }

  /** Waits for the steps before it. */
  void download(DeviceTensor source, HostTensor target) {
    context.enter();
    context.check(
        cuMemcpyDtoHAsync(
            new Address.Plain(target.segment().address()),
            new Address.OnDevice(CudaBuffer.address(source)),
            source.type().bytes(),
            context.compute()),
        "cuMemcpyDtoHAsync of " + source.type());
    context.synchronize("a step, or the download of " + source.type() + " behind it,");
  }

  @Override
  public synchronized void close() {
    if (!context.isLost()) {
      for (Transfer transfer : ring) {
        CapturedStep.destroy(context, transfer.done);
      }
      pinned.forEach(address -> context.check(cuMemFreeHost(address), "cuMemFreeHost"));
    }
    pinned.clear();
  }
}
