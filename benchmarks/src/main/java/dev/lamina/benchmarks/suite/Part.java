package dev.lamina.benchmarks.suite;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * One part of the suite: a process with a limit of time, so that nothing that fails or hangs in it takes others along.
 *
 * @param name for the log and the results
 * @param title for the report
 * @param limit after which it is killed
 * @param command what is started
 * @param environment variables beside those of this process
 * @param unavailable why it cannot run here, empty if it can
 * @param check whether it proves something, rather than measuring
 */
record Part(
    String name,
    String title,
    Duration limit,
    List<String> command,
    Map<String, String> environment,
    String unavailable,
    boolean check) {

  /** How a part ended. */
  enum End {
    PASSED,
    FAILED,
    /** Killed at its limit. */
    TIMED_OUT,
    /** Not started: it cannot run here. */
    SKIPPED,
    /** Not started: no time was left. */
    NOT_REACHED
  }

  /**
   * What came of it.
   *
   * @param end how it ended
   * @param seconds it took
   * @param reason why it did not pass, in one line
   * @param lines the JSON objects it wrote
   */
  record Outcome(End end, double seconds, String reason, List<Map<String, Object>> lines) {}
}
