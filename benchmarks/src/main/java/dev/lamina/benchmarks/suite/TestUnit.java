package dev.lamina.benchmarks.suite;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Tests that run in one process, and what is known of them, even if it was killed. */
final class TestUnit {
  private static final Duration GRACE = Duration.ofSeconds(3);

  private final String name;
  private final TestFeed feed;
  private String ended = "";
  private double seconds;

  /** A unit by its selector: {@code class:} or {@code method:}, and a full name. */
  TestUnit(String selector) {
    name = selector.substring(selector.lastIndexOf('.') + 1);
    feed = new TestFeed(line -> System.err.println(name + ": " + line));
  }

  /** Runs JUnit's console until {@code end}, a time of the system's clock of nanoseconds. */
  void run(List<String> command, long end) throws IOException, InterruptedException {
    long begin = System.nanoTime();
    if (begin - end >= 0) {
      ended = "not reached, no time was left";
      return;
    }
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    Thread reader = Thread.ofVirtual().start(() -> read(process));
    boolean inTime = process.waitFor(end - begin, TimeUnit.NANOSECONDS);
    if (!inTime) {
      List<ProcessHandle> descendants = process.descendants().toList();
      process.destroyForcibly();
      descendants.forEach(ProcessHandle::destroyForcibly);
    }
    // One that hangs in the driver cannot be killed before the driver answers, and keeps its output open.
    reader.join(GRACE);
    seconds = (System.nanoTime() - begin) * 1e-9;
    if (!inTime) {
      ended = "killed after %.0f s".formatted(seconds) + feed.where();
    } else if (process.exitValue() > 1 || (process.exitValue() == 1 && feed.failed() == 0)) {
      ended = "exit code " + process.exitValue() + feed.where();
    }
  }

  private void read(Process process) {
    try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
      output.lines().forEach(feed::read);
    } catch (IOException | UncheckedIOException e) {
      System.err.println(name + ": its output ends here: " + e.getMessage());
    }
  }

  int passed() {
    return feed.passed();
  }

  /** Whether it came to its end and nothing in it failed. */
  boolean isClean() {
    return feed.failed() == 0 && ended.isEmpty();
  }

  @Override
  public String toString() {
    return ended.isEmpty() ? "%s: %d failed".formatted(name, feed.failed()) : name + ": " + ended;
  }

  /** As an object for the results. */
  Map<String, Object> line() {
    Map<String, Object> line = feed.counts(name);
    line.put("seconds", seconds);
    if (!ended.isEmpty()) {
      line.put("ended", ended);
    }
    return line;
  }
}
