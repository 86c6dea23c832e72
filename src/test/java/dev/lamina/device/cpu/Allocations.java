package dev.lamina.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** Counts what the caller and its workers allocate on the Java heap. */
final class Allocations {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private Allocations() {}

  /**
   * Runs {@code work} until C2 has had its say, then asserts that some round of ten further runs allocates 0 bytes.
   * Several rounds, because the moment at which compiled code replaces the interpreter's is not ours to choose.
   */
  static void assertNone(Workers workers, Runnable work) {
    long[] ids =
        Thread.getAllStackTraces().keySet().stream().filter(t -> isOurs(t)).mapToLong(Thread::threadId).toArray();
    long own = Long.MAX_VALUE; // what counting costs
    for (int round = 0; round < 100; round++) {
      own = Math.min(own, round(ids, () -> {}));
    }
    long least = Long.MAX_VALUE;
    long deadline = System.nanoTime() + 60_000_000_000L;
    // By time and not by count: twenty thousand short runs can be over before C2 is done with the first method.
    while (least > 0 && System.nanoTime() < deadline) {
      least = Math.min(least, round(ids, work) - own);
    }
    assertEquals(0, least, "bytes allocated in ten runs with " + workers.threads() + " threads");
  }

  private static long round(long[] ids, Runnable work) {
    long before = allocated(ids);
    for (int i = 0; i < 10; i++) {
      work.run();
    }
    return allocated(ids) - before;
  }

  private static boolean isOurs(Thread thread) {
    return thread == Thread.currentThread() || thread.getName().startsWith("lamina-worker-");
  }

  private static long allocated(long[] ids) {
    long sum = 0;
    for (long bytes : THREADS.getThreadAllocatedBytes(ids)) {
      sum += Math.max(bytes, 0); // -1: the thread has ended
    }
    return sum;
  }
}
