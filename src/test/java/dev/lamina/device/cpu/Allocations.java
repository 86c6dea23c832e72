package dev.lamina.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.stream.Collectors;
import javax.management.JMException;
import javax.management.ObjectName;

/** Counts what the caller and its workers allocate on the Java heap. */
final class Allocations {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private Allocations() {}

  /**
   * Runs {@code work} until C2 has had its say, then asserts that some round of ten further runs allocates 0 bytes.
   * Several rounds, because the moment at which compiled code replaces the interpreter's is not ours to choose.
   */
  static void assertNone(String name, Workers workers, Runnable work) {
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
    long bytes = least;
    assertEquals(
        0,
        least,
        () ->
            name + ": " + bytes + " bytes in ten runs with " + workers.threads() + " threads; ten more: " + made(work));
  }

  private static long round(long[] ids, Runnable work) {
    long before = allocated(ids);
    for (int i = 0; i < 10; i++) {
      work.run();
    }
    return allocated(ids) - before;
  }

  /** The classes of most of the objects that ten runs make, by counts of the whole heap. */
  private static String made(Runnable work) {
    Map<String, Long> start = histogram();
    Map<String, Long> before = histogram(); // counting makes objects, too
    for (int i = 0; i < 10; i++) {
      work.run();
    }
    Map<String, Long> after = histogram();
    return after.keySet().stream()
        .map(name -> Map.entry(name, growth(name, before, after) - growth(name, start, before)))
        .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
        .limit(3)
        .map(e -> e.getValue() + " " + e.getKey())
        .collect(Collectors.joining(", "));
  }

  private static long growth(String name, Map<String, Long> before, Map<String, Long> after) {
    return after.getOrDefault(name, 0L) - before.getOrDefault(name, 0L);
  }

  /** Objects by class, those that are garbage too. */
  private static Map<String, Long> histogram() {
    try {
      String table =
          (String)
              ManagementFactory.getPlatformMBeanServer()
                  .invoke(
                      new ObjectName("com.sun.management:type=DiagnosticCommand"),
                      "gcClassHistogram",
                      new Object[] {new String[] {"-all"}},
                      new String[] {String[].class.getName()});
      // Lines like "   1:         12345         987654  [B (java.base@25)", after two of headings.
      return table
          .lines()
          .map(line -> line.strip().split("\\s+"))
          .filter(words -> words.length >= 4 && words[0].endsWith(":"))
          .collect(Collectors.toMap(words -> words[3], words -> Long.parseLong(words[1]), Long::sum));
    } catch (JMException e) {
      throw new IllegalStateException(e);
    }
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
