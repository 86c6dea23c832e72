package dev.lamina.benchmarks.suite;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.ProcessBuilder.Redirect;
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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** Runs parts one after the other, until the time of all of them together is over. */
final class PartRunner {
  /** Less than any part needs. */
  private static final Duration TOO_SHORT = Duration.ofSeconds(4);

  /** The environment variable with which Lamina waits for each operation, and so knows which one went wrong. */
  private static final String WAIT = "LAMINA_CUDA_SYNC";

  /** Long enough for a step whose kernels are compiled already. */
  private static final Duration LEARNING = Duration.ofSeconds(60);

  private static final Pattern FRAME = Pattern.compile("# Problematic frame:\\R# (.*)");
  private static final String CAUSE = "Caused by: ";
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
    Duration left = left();
    Part.Outcome outcome;
    if (!part.unavailable().isEmpty()) {
      outcome = new Part.Outcome(Part.End.SKIPPED, 0, part.unavailable(), List.of());
    } else if (left.compareTo(TOO_SHORT) < 0) {
      outcome = new Part.Outcome(Part.End.NOT_REACHED, 0, "no time was left", List.of());
    } else {
      outcome = start(part);
    }
    console.printf(
        "%-28s %-11s %5.1f s  %s%n",
        part.name(),
        outcome.end().name().toLowerCase(Locale.ROOT).replace('_', ' '),
        outcome.seconds(),
        outcome.reason());
    return outcome;
  }

  private Duration left() {
    return Duration.ofNanos(end - System.nanoTime());
  }

  private Part.Outcome start(Part part) throws IOException, InterruptedException {
    Ran ran = process(part, part.limit(), Map.of());
    boolean unclear = ran.end == Part.End.FAILED && ran.text.contains("run again with " + WAIT + "=1");
    if (!unclear || left().compareTo(TOO_SHORT) < 0) {
      return new Part.Outcome(ran.end, ran.seconds, ran.reason, lines(ran.text));
    }
    Ran again = process(part, LEARNING, Map.of(WAIT, "1"));
    String learned = again.end == Part.End.PASSED ? "it passed" : again.reason;
    return new Part.Outcome(
        ran.end, ran.seconds + again.seconds, ran.reason + "; with " + WAIT + "=1: " + learned, lines(ran.text));
  }

  /** One process that has ended: how, after how long, why it did not pass, and everything that it printed. */
  private record Ran(Part.End end, double seconds, String reason, String text) {}

  /** Its output goes to the log as it comes, so that nothing is lost if this process is killed, too. */
  private Ran process(Part part, Duration longest, Map<String, String> environment)
      throws IOException, InterruptedException {
    Duration limit = left().compareTo(longest) < 0 ? left() : longest;
    String variables = environment.isEmpty() ? "" : environment + " ";
    String heading = "\n=== " + part.name() + ": " + variables + String.join(" ", part.command()) + "\n";
    Files.writeString(log, heading, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    long from = Files.size(log);
    long begin = System.nanoTime();
    try {
      var builder = new ProcessBuilder(part.command()).redirectErrorStream(true);
      builder.redirectOutput(Redirect.appendTo(log.toFile()));
      builder.environment().putAll(part.environment());
      builder.environment().putAll(environment);
      Process process = builder.start();
      process.getOutputStream().close();
      boolean ended = process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
      if (!ended) {
        kill(process);
      }
      double seconds = (System.nanoTime() - begin) * 1e-9;
      String text = logged(from);
      if (!ended) {
        String reason = "killed after %d s; %s".formatted(limit.toSeconds(), lastWords(text));
        return new Ran(Part.End.TIMED_OUT, seconds, reason, text);
      }
      return process.exitValue() == 0
          ? new Ran(Part.End.PASSED, seconds, "", text)
          : new Ran(Part.End.FAILED, seconds, "exit code " + process.exitValue() + ": " + lastWords(text), text);
    } catch (IOException e) {
      return new Ran(Part.End.FAILED, 0, String.valueOf(e.getMessage()), "");
    }
  }

  /** What the log holds from byte {@code from} on. */
  private String logged(long from) throws IOException {
    try (InputStream in = Files.newInputStream(log)) {
      in.skipNBytes(from);
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
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

  /** The JSON objects of a kind among the lines; a last one that was cut short is none. */
  static List<Map<String, Object>> lines(String text) {
    List<Map<String, Object>> objects = new ArrayList<>();
    for (String line : text.split("\n")) {
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

  /**
   * The line that tells most: where the JVM crashed, the last cause of an exception, the exception, or the last one.
   */
  private static String lastWords(String text) {
    Matcher frame = FRAME.matcher(text);
    if (frame.find()) {
      return "crashed in " + frame.group(1).strip();
    }
    List<String> said =
        text.lines()
            .map(String::strip)
            .filter(line -> !line.isEmpty() && !line.startsWith("{") && !line.startsWith("WARNING: Using incubator"))
            .toList();
    String words =
        said.reversed().stream()
            .filter(line -> line.startsWith(CAUSE))
            .map(line -> line.substring(CAUSE.length()))
            .findFirst()
            .or(() -> said.stream().filter(line -> !line.startsWith("at ") && line.contains("Exception: ")).findFirst())
            .orElse(said.isEmpty() ? "it said nothing" : said.getLast());
    return words.length() > LONGEST_REASON ? words.substring(0, LONGEST_REASON) + "…" : words;
  }
}
