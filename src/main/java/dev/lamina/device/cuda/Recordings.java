package dev.lamina.device.cuda;

import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Keeps apart what records a stream and what waits for a whole GPU: no recording on any thread survives that (CUDA
 * programming guide, "CUDA Graphs", prohibited operations), and some calls do it, those that load code, make a
 * library's handle or give it back. Devices of one GPU share its context, so there is one of these for a process.
 */
final class Recordings {
  private static final Recordings OF_THIS_PROCESS = new Recordings();

  private final ReadWriteLock lock = new ReentrantReadWriteLock();

  private Recordings() {}

  /** A lock until it is closed. */
  interface Held extends AutoCloseable {
    @Override
    void close();
  }

  /** To be held while a stream is recorded; others may be recorded beside it. */
  static Held one() {
    return held(OF_THIS_PROCESS.lock.readLock());
  }

  /** To be held by what may wait for the whole GPU: nothing is recorded meanwhile. */
  static Held none() {
    return held(OF_THIS_PROCESS.lock.writeLock());
  }

  private static Held held(Lock lock) {
    lock.lock();
    return lock::unlock;
  }
}
