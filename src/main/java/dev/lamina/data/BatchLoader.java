package dev.lamina.data;

import dev.lamina.io.BadInputException;
import java.util.concurrent.CancellationException;

/**
 * Prepares batches ahead, on a thread of its own, in a ring of buffers that are used again and again.
 *
 * <p>The sequence has no end: after the last batch of an epoch comes the first of the next, so nobody waits at the
 * border. Once started, neither thread makes any garbage; a thread that has nothing to do sleeps.
 *
 * <p>{@link #next}, {@link #release}, {@link #position} and {@link #close} belong to one consumer thread. Closing does
 * not free the buffers: they are their allocator's.
 */
public final class BatchLoader implements AutoCloseable {
  private final Dataset data;
  private final BatchOrder order;
  private final int batches;
  private final BatchPosition start;
  private final Thread worker;

  private final Object lock = new Object();
  private final Queue free; // all of this guarded by lock
  private final Queue ready;
  private int held;
  private boolean closed;
  private Throwable failure;

  private int nextEpoch; // the consumer's
  private int nextIndex;

  /**
   * Starts to prepare batches from the first of the first epoch.
   *
   * @param data the examples; their memory must be open to every thread
   * @param order shuffled for training, sequential for evaluation
   * @param batchSize examples in each batch
   * @param slots how many batches there are at a time, those that the consumer holds included; at least 1, 2 to overlap
   * @param memory where the buffers come from
   * @throws BadInputException if an epoch has no batch
   * @throws IllegalArgumentException if a number is out of range, or the data is confined to a thread
   */
  public BatchLoader(Dataset data, BatchOrder order, int batchSize, int slots, HostAllocator memory) {
    this(data, order, batchSize, slots, memory, BatchPosition.START);
  }

  /**
   * The same from elsewhere.
   *
   * @param start the first batch: what {@link #position} said in an earlier run
   */
  public BatchLoader(
      Dataset data, BatchOrder order, int batchSize, int slots, HostAllocator memory, BatchPosition start) {
    if (batchSize < 1 || slots < 1) {
      throw new IllegalArgumentException("a loader needs a batch and a slot, got " + batchSize + " and " + slots);
    }
    this.data = data;
    this.order = order;
    this.batches = order.batches(data.size(), batchSize);
    if (batches == 0) {
      throw new BadInputException(
          "a batch of "
              + batchSize
              + " cannot be filled from "
              + data.name()
              + ", which has "
              + data.size()
              + " examples");
    }
    if (start.batch() > batches) {
      throw new IllegalArgumentException("cannot start at batch " + start.batch() + " of an epoch of " + batches);
    }
    this.start = start.batch() == batches ? new BatchPosition(start.epoch() + 1, 0) : start;
    this.nextEpoch = this.start.epoch();
    this.nextIndex = this.start.batch();
    this.free = new Queue(slots);
    this.ready = new Queue(slots);
    for (int slot = 0; slot < slots; slot++) {
      free.add(new Batch(data, batchSize, memory));
    }
    this.worker = Thread.ofPlatform().daemon().name("lamina-batches").unstarted(this::prepare);
    if (!data.isAccessibleBy(worker)) {
      throw new IllegalArgumentException(data.name() + " lies in a confined arena; batches need a shared one");
    }
    worker.start();
  }

  /** The number of batches of one epoch. */
  public int batchesPerEpoch() {
    return batches;
  }

  /** The place of the batch that {@link #next} gives next: a loader started there continues exactly as this one. */
  public BatchPosition position() {
    return new BatchPosition(nextEpoch, nextIndex);
  }

  /**
   * The next batch, after waiting for it if need be. It is the consumer's until {@link #release}.
   *
   * @throws IllegalStateException if all slots are held, the loader is closed, or preparing the batch failed
   * @throws CancellationException if the thread is interrupted while it waits
   */
  public Batch next() {
    Batch batch;
    synchronized (lock) {
      if (held == ready.capacity()) {
        throw new IllegalStateException(
            "all " + held + " batches are in use; release one before the next is asked for");
      }
      awaitOneIn(ready);
      if (closed) {
        throw new IllegalStateException("the loader of " + data.name() + " is closed");
      }
      if (ready.isEmpty()) {
        throw failed();
      }
      batch = ready.remove();
      batch.setHolder(this);
      held++;
    }
    nextIndex++;
    if (nextIndex == batches) {
      nextIndex = 0;
      nextEpoch++;
    }
    return batch;
  }

  /**
   * Gives the buffers of {@code batch} back to be filled again.
   *
   * @throws IllegalArgumentException if it is not held, or another loader's
   */
  public void release(Batch batch) {
    synchronized (lock) {
      if (batch.holder() != this) {
        throw new IllegalArgumentException("this batch is not held: it was released before, or is another loader's");
      }
      batch.setHolder(null);
      held--;
      free.add(batch);
      lock.notifyAll();
    }
  }

  /** Stops the thread and waits for its end; batches still held must not be used any more. */
  @Override
  public void close() {
    synchronized (lock) {
      closed = true;
      lock.notifyAll();
    }
    boolean interrupted = false;
    while (worker.isAlive()) {
      try {
        worker.join();
      } catch (InterruptedException _) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** The thread that prepares, for measurements. */
  Thread worker() {
    return worker;
  }

  /** The worker's life. */
  private void prepare() {
    try {
      SplitMix64 random = new SplitMix64();
      int[] places = new int[data.size()];
      int epoch = start.epoch();
      int index = start.batch();
      fill(places, order, epoch, random);
      for (Batch batch = takeFree(); batch != null; batch = takeFree()) {
        batch.fill(data, places, index);
        publish(batch);
        index++;
        if (index == batches) {
          index = 0;
          epoch++;
          fill(places, order, epoch, random);
        }
      }
    } catch (Throwable e) {
      synchronized (lock) {
        failure = e;
        lock.notifyAll();
      }
    }
  }

  /** Stores which example comes at which place of the epoch. */
  static void fill(int[] places, BatchOrder order, int epoch, SplitMix64 random) {
    for (int i = 0; i < places.length; i++) {
      places[i] = i;
    }
    if (order instanceof BatchOrder.Shuffled(long seed)) {
      random.seed(seed, epoch).shuffle(places);
    }
  }

  /** A buffer to fill, or {@code null} when the loader has been closed. */
  private Batch takeFree() {
    synchronized (lock) {
      awaitOneIn(free);
      return closed ? null : free.remove();
    }
  }

  private void publish(Batch batch) {
    synchronized (lock) {
      ready.add(batch);
      lock.notifyAll();
    }
  }

  /** Returns when there is something in {@code queue}, or nothing more to wait for. The lock is held. */
  private void awaitOneIn(Queue queue) {
    try {
      while (queue.isEmpty() && failure == null && !closed) {
        lock.wait();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      CancellationException cancelled = new CancellationException("interrupted while waiting for a batch");
      cancelled.initCause(e);
      throw cancelled;
    }
  }

  private RuntimeException failed() {
    return new IllegalStateException(
        "batch " + nextIndex + " of epoch " + nextEpoch + " of " + data.name() + " could not be prepared: " + failure,
        failure);
  }

  /** First in, first out, in an array. */
  private static final class Queue {
    private final Batch[] batches;
    private int first;
    private int size;

    Queue(int capacity) {
      batches = new Batch[capacity];
    }

    int capacity() {
      return batches.length;
    }

    boolean isEmpty() {
      return size == 0;
    }

    void add(Batch batch) {
      batches[(first + size) % batches.length] = batch;
      size++;
    }

    Batch remove() {
      Batch batch = batches[first];
      first = (first + 1) % batches.length;
      size--;
      return batch;
    }
  }
}
