package dev.lamina.benchmarks.suite;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** Runs parts one after the other, until the time of all of them together is over. */
final class PartRunner {
  /** Less than any part needs. */
  private static final Duration TOO_SHORT = Duration.ofSeconds(4);

  private static final int LONGEST_REASON = 300;
  private static final int GRACE_SECONDS = 5;

  private final long end;
  private final Path log;
  private final PrintStream console;

  /**
   * Starts the clock.
   *
   * @param limit for all parts
   * @param log takes everything that parts print
   */
  PartRunner(Duration limit, Path log, PrintStream console) {
    end = System.nanoTime() + limit.toNanos();
    this.log = log;
    this.console = console;
  }

  Part.Outcome run(Part part) throws IOException, InterruptedException {
    Duration left = Duration.ofNanos(end - System.nanoTime());
    Part.Outcome outcome;
    if (!part.unavailable().isEmpty()) {
      outcome = new Part.Outcome(Part.End.SKIPPED, 0, part.unavailable(), List.of());
    } else if (left.compareTo(TOO_SHORT) < 0) {
      outcome = new Part.Outcome(Part.End.NOT_REACHED, 0, "no time was left", List.of());
    } else {
      outcome = start(part, left.compareTo(part.limit()) < 0 ? left : part.limit());
    }
    console.printf(
        "%-28s %-11s %5.1f s  %s%n",
        part.name(),
        outcome.end().name().toLowerCase(Locale.ROOT).replace('_', ' '),
        outcome.seconds(),
        outcome.reason());
    return outcome;
  }

  private Part.Outcome start(Part part, Duration limit) throws IOException, InterruptedException {
    Path output = Files.createTempFile("lamina-part-", ".txt");
    long begin = System.nanoTime();
    try {
      var builder = new ProcessBuilder(part.command()).redirectErrorStream(true).redirectOutput(output.toFile());
      builder.environment().putAll(part.environment());
      Process process = builder.start();
      process.getOutputStream().close();
      boolean ended = process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
      if (!ended) {
        kill(process);
      }
      double seconds = (System.nanoTime() - begin) * 1e-9;
      String text = Files.readString(output, StandardCharsets.ISO_8859_1);
      append(part, text);
      List<Map<String, Object>> lines = lines(text);
      if (!ended) {
        return new Part.Outcome(
            Part.End.TIMED_OUT, seconds, "killed after %d s; %s".formatted(limit.toSeconds(), lastWords(text)), lines);
      }
      return process.exitValue() == 0
          ? new Part.Outcome(Part.End.PASSED, seconds, "", lines)
          : new Part.Outcome(
              Part.End.FAILED, seconds, "exit code " + process.exitValue() + ": " + lastWords(text), lines);
    } catch (IOException e) {
      return new Part.Outcome(Part.End.FAILED, 0, String.valueOf(e.getMessage()), List.of());
    } finally {
      Files.deleteIfExists(output);
    }
  }

  /** With all that it has started. */
  private static void kill(Process process) throws InterruptedException {
    List<ProcessHandle> descendants = process.descendants().toList();
    process.destroyForcibly();
    descendants.forEach(ProcessHandle::destroyForcibly);
    // One that hangs in the driver cannot be killed before the driver answers; the suite goes on.
    process.waitFor(GRACE_SECONDS, TimeUnit.SECONDS);
  }

  private void append(Part part, String text) throws IOException {
    try (OutputStream out = Files.newOutputStream(log, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      String heading = "\n=== " + part.name() + ": " + String.join(" ", part.command()) + "\n";
      out.write(heading.getBytes(StandardCharsets.UTF_8));
      out.write(text.getBytes(StandardCharsets.ISO_8859_1));
    }
  }

  /** The JSON objects of a kind among the lines; a last one that was cut short is none. */
  static List<Map<String, Object>> lines(String text) {
    List<Map<String, Object>> objects = new ArrayList<>();
    for (String line : new String(text.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8).split("\n")) {
      if (line.startsWith("{")) {
        try {
          Map<String, Object> object = JsonMapper.shared().readValue(line, new TypeReference<Map<String, Object>>() {});
          if (object.containsKey("kind")) {
            objects.add(object);
          }
        } catch (JacksonException e) {
          // Something else that begins with a brace.
          continue;
        }
      }
    }
    return objects;
  }

  /** The line that tells most: that of an exception if there is one, else the last. */
  private static String lastWords(String text) {
    List<String> said =
        text.lines().map(String::strip).filter(line -> !line.isEmpty() && !line.startsWith("{")).toList();
    String words =
        said.stream()
            .filter(line -> !line.startsWith("at ") && line.contains("Exception: "))
            .findFirst()
            .orElse(said.isEmpty() ? "it said nothing" : said.getLast());
    return words.length() > LONGEST_REASON ? words.substring(0, LONGEST_REASON) + "…" : words;
  }
}
