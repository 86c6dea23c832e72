package dev.lamina.device.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * A fixed team of threads that share out the chunks of one task at a time; the caller is one of them.
 *
 * <p>Each thread has its own part of the chunks, one behind the other, and helps the others when it is through. So from
 * one kernel of a step to the next a thread meets what it has in its caches, and no two threads write side by side.
 * Still it is chance which thread runs which chunk, so a task cuts its work by size alone and leaves nothing behind in
 * a slot: then its result has the same bits for any number of threads. A run allocates nothing. Threads that wait spin
 * for a while (the next kernel of a step follows soon), then park.
 */
final class Workers implements AutoCloseable {
  /** A chunk of work that needs no scratch memory. */
  @FunctionalInterface
  interface Task {
    /** Does chunk {@code index}. */
    void run(int index);
  }

  /** A chunk of work with scratch memory of its own. */
  @FunctionalInterface
  interface SlotTask {
    /**
     * Does chunk {@code index}; no two chunks run at the same time with the same {@code slot}, which is below {@link
     * Workers#threads}.
     */
    void run(int index, int slot);
  }

  /**
   * How long a thread spins before it parks. Between two kernels of a step one thread alone works for up to some ten
   * microseconds, between two steps up to some hundred; to wake a thread takes some fifty, of both.
   */
  private static final long PATIENCE_NANOS = 200_000;

  /** Longs from one ticket to the next: 128 bytes, as processors fetch lines in pairs. */
  private static final int APART = 16;

  private static final int CHUNK_BITS = 31;
  private static final long CHUNK_MASK = (1L << CHUNK_BITS) - 1;

  private final Member[] members;
  private final long patience;

  // One for each thread: run number in the high half, chunks left of
  // that thread's share in the low half. A chunk is taken by a compare-and-set that expects both, so what was read of
  // the run's fields between the look and the success belongs to that run: they change only when no chunk is left.
  private final AtomicLongArray tickets;
  private final AtomicInteger finished = new AtomicInteger();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();

  // Written before the ticket, read after it.
  private Task task;
  private SlotTask slotTask;
  private int count;

  private volatile Thread caller;
  private volatile boolean callerParked;
  private volatile boolean closed;

  /**
   * Starts {@code threads − 1} threads.
   *
   * @throws IllegalArgumentException if {@code threads} is below 1
   */
  Workers(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("a team needs at least 1 thread, got " + threads);
    }
    patience = threads <= Runtime.getRuntime().availableProcessors() ? PATIENCE_NANOS : 0;
    tickets = new AtomicLongArray(place(threads));
    members = new Member[threads - 1];
    for (int i = 0; i < members.length; i++) {
      members[i] = new Member(i + 1);
    }
    for (Member member : members) {
      member.start();
    }
  }

  /** How many threads work, the caller included. */
  int threads() {
    return members.length + 1;
  }

  /**
   * Runs chunks 0 to {@code count − 1} and returns when all are done. After an exception the chunks that have not begun
   * are left out.
   *
   * @throws RuntimeException whatever a chunk threw first
   * @throws IllegalStateException if called from inside a chunk, or after {@link #close}
   */
  void run(Task work, int count) {
    outside();
    run(work, null, count);
  }

  /** As {@link #run(Task, int)}, with slots. */
  void run(SlotTask work, int count) {
    outside();
    run(null, work, count);
  }

  /** Before the monitor is asked for: a member that waited for it would wait for ever. */
  private void outside() {
    if (Thread.currentThread() instanceof Member member && member.team() == this) {
      throw new IllegalStateException("a chunk cannot use its own workers");
    }
  }

  private synchronized void run(Task work, SlotTask slotWork, int chunks) {
    if (caller != null) {
      throw new IllegalStateException("a chunk cannot use its own workers");
    }
    if (closed) {
      throw new IllegalStateException("these workers are closed");
    }
    task = work;
    slotTask = slotWork;
    count = chunks;
    caller = Thread.currentThread();
    try {
      if (chunks <= 1 || members.length == 0) {
        for (int i = 0; i < chunks; i++) {
          chunk(work, slotWork, i, 0);
        }
      } else {
        share(chunks);
      }
    } finally {
      caller = null;
      task = null;
      slotTask = null;
    }
  }

  private void share(int chunks) {
    finished.set(0);
    long run = ((ticket(0) >>> CHUNK_BITS) + 1) << CHUNK_BITS;
    for (int slot = 0; slot <= members.length; slot++) {
      tickets.set(place(slot), run + end(slot, chunks) - end(slot - 1, chunks));
    }
    // No more than there are chunks for, besides the caller: they help the others, if their own shares are empty.
    for (int i = 0; i < Math.min(members.length, chunks - 1); i++) {
      if (members[i].parked) {
        LockSupport.unpark(members[i]);
      }
    }
    take(0);
    long since = System.nanoTime();
    while (finished.get() < chunks) {
      if (spins(since)) {
        continue;
      }
      callerParked = true;
      if (finished.get() < chunks) {
        LockSupport.park(this);
      }
      callerParked = false;
    }
    Throwable thrown = failure.getAndSet(null);
    if (thrown instanceof Error error) {
      throw error;
    }
    if (thrown instanceof RuntimeException exception) {
      throw exception;
    }
    if (thrown != null) {
      throw new IllegalStateException("a chunk threw a checked exception", thrown);
    }
  }

  /** Pauses for a moment; false once {@code since} is so long ago that the thread should park. */
  private boolean spins(long since) {
    if (System.nanoTime() - since >= patience) {
      return false;
    }
    Thread.onSpinWait();
    return true;
  }

  /** Takes chunks of the thread's own share, then of the others', until there are none. */
  private void take(int slot) {
    int threads = threads();
    for (int i = 0; i < threads; i++) {
      int owner = slot + i < threads ? slot + i : slot + i - threads;
      while (takeOne(owner, slot)) {}
    }
  }

  /** Does one chunk of the share of {@code owner}; false if there is none. */
  private boolean takeOne(int owner, int slot) {
    long seen = ticket(owner);
    int left = (int) (seen & CHUNK_MASK);
    if (left == 0) {
      return false;
    }
    Task work = task;
    SlotTask slotWork = slotTask;
    int chunks = count;
    if (!tickets.compareAndSet(place(owner), seen, seen - 1)) {
      return true;
    }
    try {
      if (failure.get() == null) {
        chunk(work, slotWork, end(owner, chunks) - left, slot);
      }
    } catch (Throwable e) { // anything: a worker that dies would leave the caller waiting
      failure.compareAndSet(null, e);
    }
    // The caller may start the next run as soon as it has seen the last chunk finished: nothing of this run is
    // touched after this line.
    Thread waiting = caller;
    if (finished.incrementAndGet() >= chunks && callerParked) {
      LockSupport.unpark(waiting);
    }
    return true;
  }

  /** Where the ticket of {@code slot} lies, with nothing else in its line. */
  private static int place(int slot) {
    return (slot + 1) * APART;
  }

  private long ticket(int slot) {
    return tickets.get(place(slot));
  }

  /** Where the share of {@code slot} ends among {@code chunks}. */
  private int end(int slot, int chunks) {
    return (int) ((slot + 1L) * chunks / threads());
  }

  private static void chunk(Task work, SlotTask slotWork, int index, int slot) {
    if (slotWork != null) {
      slotWork.run(index, slot);
    } else {
      work.run(index);
    }
  }

  /**
   * Ends the threads; a second call does nothing.
   *
   * @throws IllegalStateException if called from inside a chunk
   */
  @Override
  public void close() {
    outside();
    end();
  }

  private synchronized void end() {
    if (caller != null) {
      throw new IllegalStateException("a chunk cannot use its own workers");
    }
    closed = true;
    boolean interrupted = false;
    for (Member member : members) {
      LockSupport.unpark(member);
      while (member.isAlive()) {
        try {
          member.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private final class Member extends Thread {
    private final int slot;
    private volatile boolean parked;

    Member(int slot) {
      super("lamina-worker-" + slot);
      this.slot = slot;
      setDaemon(true);
    }

    Workers team() {
      return Workers.this;
    }

    @Override
    public void run() {
      long done = 0;
      while (true) {
        long now = await(done);
        if (closed) {
          return;
        }
        take(slot);
        done = now;
      }
    }

    /** Waits for another run than {@code done} and returns its number. */
    private long await(long done) {
      long since = System.nanoTime();
      while (!closed) {
        long now = ticket(slot) >>> CHUNK_BITS;
        if (now != done) {
          return now;
        }
        if (spins(since)) {
          continue;
        }
        parked = true;
        if (ticket(slot) >>> CHUNK_BITS == done && !closed) {
          LockSupport.park(Workers.this);
        }
        parked = false;
      }
      return done;
    }
  }
}
