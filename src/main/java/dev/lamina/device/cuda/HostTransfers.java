package dev.lamina.device.cuda;

import static jcuda.driver.JCudaDriver.cuEventRecord;
import static jcuda.driver.JCudaDriver.cuEventSynchronize;
import static jcuda.driver.JCudaDriver.cuMemcpyDtoHAsync;
import static jcuda.driver.JCudaDriver.cuMemcpyHtoDAsync;
import static jcuda.driver.JCudaDriver.cuStreamWaitEvent;

import dev.lamina.device.Device.Ticket;
import dev.lamina.device.DeviceTensor;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.Stream;
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
  private final PinnedMemory pinned;
  private final Ring uploads;
  private final Ring stagings;
  private final RecentAddresses<Address.Plain> sources = new RecentAddresses<>(Address.Plain::new);
  private final RecentAddresses<Address.OnDevice> targets = new RecentAddresses<>(Address.OnDevice::new);

  /** The copies that the next step waits for, or null. */
  private Transfer staged;

  /** Copies under way on one stream. */
  private final class Transfer implements Ticket {
    private final CUstream stream;
    private final CUevent done = CapturedStep.event(context);

    /** Whether the last of the copies is not followed by the event yet. */
    private boolean open;

    /** Copies begun, and how many of them are known to be over. */
    private long begun;

    private long over;

    Transfer(CUstream stream) {
      this.stream = stream;
    }

    /** Takes in a copy on the stream. */
    void begin() {
      open = true;
      begun++;
    }

    /** Lets the event follow the last copy, unless it does already. */
    void seal() {
      if (open) {
        context.check(cuEventRecord(done, stream), "cuEventRecord");
        open = false;
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

  /**
   * Tickets of one stream, used again in turn: one that is has its event behind the older copies too, for a stream runs
   * in order. On another stream it would not.
   */
  private final class Ring {
    private final List<Transfer> transfers;
    private int next;

    Ring(CUstream stream) {
      transfers = Stream.generate(() -> new Transfer(stream)).limit(TICKETS).toList();
    }

    Transfer take() {
      Transfer transfer = transfers.get(next);
      next = (next + 1) % TICKETS;
      return transfer;
    }

    void close() {
      transfers.forEach(transfer -> CapturedStep.destroy(context, transfer.done));
    }
  }

  /**
   * Transfers between which and the intake of steps {@code consumed} lies.
   *
   * @param pinned what is given back with this
   */
  HostTransfers(CudaContext context, PinnedMemory pinned, CUevent consumed) {
    this.context = context;
    this.pinned = pinned;
    this.consumed = consumed;
    uploads = new Ring(context.compute());
    stagings = new Ring(context.copies());
  }

  /** Page-locked memory of zeros: the GPU reads it by itself. */
  synchronized HostTensor allocate(TensorType type) {
    context.enter();
    MemorySegment memory = pinned.allocate(Math.max(type.bytes(), 1));
    return HostTensor.over(memory.asSlice(0, type.bytes()), type);
  }

  /** In order with the steps. */
  synchronized Ticket upload(HostTensor source, DeviceTensor target) {
    context.enter();
    copy(source, target, context.compute());
    Transfer transfer = uploads.take();
    transfer.begin();
    transfer.seal();
    return transfer;
  }

  /** Beside the step under way; the next one waits for it. */
  synchronized Ticket stage(HostTensor source, DeviceTensor target) {
    context.enter();
    if (staged == null) {
      context.check(cuStreamWaitEvent(context.copies(), consumed, 0), "cuStreamWaitEvent");
      staged = stagings.take();
    }
    copy(source, target, context.copies());
    staged.begin();
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
      uploads.close();
      stagings.close();
      pinned.close();
    }
  }
}
