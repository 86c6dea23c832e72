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
import java.util.List;
import jcuda.driver.CUevent;
import jcuda.driver.CUstream;

/**
 * Copies between the host and the GPU. What is staged for one step makes one group: its first copy waits until the step
 * before has read its inputs, the step waits for the last.
 */
final class HostTransfers implements AutoCloseable {
  /** Transfers that may be under way; the ticket of an older one waits a little longer than it must. */
  private static final int TICKETS = 64;

  private final CudaContext context;
  private final CUevent consumed;
  private final List<Address.Plain> pinned = new ArrayList<>();
  private final Transfer[] ring = new Transfer[TICKETS];
  private final RecentAddresses<Address.Plain> sources = new RecentAddresses<>(Address.Plain::new);
  private final RecentAddresses<Address.OnDevice> targets = new RecentAddresses<>(Address.OnDevice::new);
  private int next;

  /** The copies that the next step waits for, or null. */
  private Transfer staged;

  /** Copies under way on one stream. */
  private final class Transfer implements Ticket {
    private final CUevent done = CapturedStep.event(context);

    /** Where the copies are, while the last of them is not followed by the event. */
    private CUstream open;

    /** Copies begun, and how many of them are known to be over. */
    private long begun;

    private long over;

    /** Takes in a copy on {@code stream}. */
    void begin(CUstream stream) {
      open = stream;
      begun++;
    }

    /** Lets the event follow the last copy, unless it does already. */
    void seal() {
      if (open != null) {
        context.check(cuEventRecord(done, open), "cuEventRecord");
        open = null;
      }
    }

    @Override
    public void await() {
      long all;
      synchronized (HostTransfers.this) {
        if (over == begun) {
          return;
        }
        context.enter();
        seal();
        all = begun;
      }
      context.check(cuEventSynchronize(done), "an upload");
      synchronized (HostTransfers.this) {
        over = Math.max(over, all);
      }
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
    copy(source, target, context.compute());
    Transfer transfer = transfer();
    transfer.begin(context.compute());
    transfer.seal();
    return transfer;
  }

  /** Beside the step under way; the next one waits for it. */
  synchronized Ticket stage(HostTensor source, DeviceTensor target) {
    context.enter();
    if (staged == null) {
      context.check(cuStreamWaitEvent(context.copies(), consumed, 0), "cuStreamWaitEvent");
      staged = transfer();
    }
    copy(source, target, context.copies());
    staged.begin(context.copies());
    return staged;
  }

  private void copy(HostTensor source, DeviceTensor target, CUstream stream) {
    int status =
        cuMemcpyHtoDAsync(
            targets.of(CudaBuffer.address(target)),
            sources.of(source.segment().address()),
            target.type().bytes(),
            stream);
    if (status != 0) {
      context.check(status, "cuMemcpyHtoDAsync of " + target.type());
    }
  }

  /** Lets the step that comes next wait for all that was staged. */
  synchronized void beginStep() {
    if (staged != null) {
      staged.seal();
      context.check(cuStreamWaitEvent(context.compute(), staged.done, 0), "cuStreamWaitEvent");
      staged = null;
    }
  }

  private Transfer transfer() {
    // What the next step waits for is not used a second time before that.
    next = ring[next] == staged ? (next + 1) % TICKETS : next;
    Transfer transfer = ring[next];
    next = (next + 1) % TICKETS;
    return transfer;
  }

  /** Waits for the steps before it. */
  void download(DeviceTensor source, HostTensor target) {
    context.enter();
    synchronized (this) {
      context.check(
          cuMemcpyDtoHAsync(
              sources.of(target.segment().address()),
              targets.of(CudaBuffer.address(source)),
              source.type().bytes(),
              context.compute()),
          "cuMemcpyDtoHAsync of " + source.type());
    }
    context.synchronize("the download of " + source.type());
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
