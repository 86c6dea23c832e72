package dev.lamina.benchmarks.suite;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Counts what JUnit's console prints with {@code --details=testfeed}, line by line: what is known of a run that is
 * killed, by any thread. Passes on what tells something: failures with their traces, and what tests and libraries print
 * themselves.
 */
final class TestFeed {
  private static final int FAILURES_SHOWN = 20;
  private static final Pattern EVENT = Pattern.compile("(.+) :: (STARTED|SUCCESSFUL|FAILED|ABORTED|SKIPPED)");

  /** The JVM's first words, and the counts at the end, of containers too. */
  private static final Pattern NOISE =
      Pattern.compile("WARNING: Using incubator modules.*|\\[ +\\d+ .*\\]|Test run finished after .*|\\s*");

  private final Consumer<String> telling;
  private final List<String> failures = new ArrayList<>();
  private int passed;
  private int failed;
  private int skipped;
  private String running = "";
  private boolean skipping;

  TestFeed(Consumer<String> telling) {
    this.telling = telling;
  }

  /** The next line of the output. */
  synchronized void read(String line) {
    Matcher event = EVENT.matcher(line);
    if (event.matches()) {
      // As every test's begins.
      count(event.group(1).replaceFirst("^JUnit Jupiter > [^>]* > ", ""), event.group(2));
    }
    // Why a test was skipped is indented below it.
    boolean reason = skipping && line.startsWith("\t");
    boolean quiet = event.matches() && !event.group(2).equals("FAILED");
    if (!quiet && !reason && !NOISE.matcher(line).matches()) {
      telling.accept(line);
    }
  }

  private void count(String test, String what) {
    running = what.equals("STARTED") ? test : "";
    skipping = false;
    switch (what) {
      case "SUCCESSFUL" -> passed++;
      case "FAILED" -> {
        failed++;
        if (failures.size() < FAILURES_SHOWN) {
          failures.add(test);
        }
      }
      case "ABORTED", "SKIPPED" -> {
        skipped++;
        skipping = true;
      }
      default -> {
        // It has only begun.
      }
    }
  }

  synchronized int passed() {
    return passed;
  }

  synchronized int failed() {
    return failed;
  }

  /** The test that has begun and not ended, in words that follow how that came about; empty if there is none. */
  synchronized String where() {
    return running.isEmpty() ? "" : " in " + running;
  }

  /** As an object for the results. */
  synchronized Map<String, Object> counts(String unit) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("kind", "tests");
    line.put("unit", unit);
    line.put("passed", passed);
    line.put("failed", failed);
    line.put("skipped", skipped);
    line.put("failures", List.copyOf(failures));
    return line;
  }
}
