package dev.lamina.device.cuda.library;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The first contact with NVIDIA's libraries, in a process of its own: if it crashes or hangs there, that is a line in a
 * list of devices instead of the end of a training.
 */
final class Probe {
  /** The first process after a start of the machine can wait long for the driver, the more GPUs the longer. */
  private static final Duration LIMIT = Duration.ofMinutes(2);

  /** Enough for two paths. */
  private static final int LONGEST_LAST_WORDS = 500;

  private static final Pattern FRAME = Pattern.compile("# Problematic frame:\\R# (.*)");
  private static final Pattern SIGNAL = Pattern.compile("#\\s+(SIG[A-Z]+) ");

  private final Duration limit;

  Probe() {
    this(LIMIT);
  }

  Probe(Duration limit) {
    this.limit = limit;
  }

  /** Either what the libraries say, or why they say nothing. */
  sealed interface Outcome {
    /** They work. */
    record Answered(CudaFacts facts) implements Outcome {}

    /** They don't, in one line. */
    record Failed(String reason) implements Outcome {}
  }

  Outcome ask(CudaLibraries libraries) {
    try {
      Path output = Files.createTempFile("lamina-cuda-", ".txt");
      try {
        return ask(libraries, output);
      } finally {
        Files.deleteIfExists(output);
      }
    } catch (IOException e) {
      return new Outcome.Failed("cannot start a process to look at the GPUs: " + e.getMessage());
    }
  }

  private Outcome ask(CudaLibraries libraries, Path output) throws IOException {
    Process process =
        new ProcessBuilder(command(libraries))
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
            .start();
    try {
      boolean ended = process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
      String text = Files.readString(output, StandardCharsets.ISO_8859_1);
      return ended ? outcome(text, process.exitValue()) : hanging(text);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Outcome.Failed("interrupted while looking at the GPUs");
    } finally {
      process.destroyForcibly();
    }
  }

  /** The same Java and class path; errors of the JVM go where the rest goes instead of into files. */
  private static List<String> command(CudaLibraries libraries) {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-XX:-UsePerfData",
                "-XX:+ErrorFileToStdout",
                "-XX:-CreateCoredumpOnCrash",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                ProbeMain.class.getName()));
    command.addAll(libraries.arguments());
    return command;
  }

  /** What the process wrote and how it ended. */
  static Outcome outcome(String text, int exit) {
    List<String> said = said(text);
    Optional<String> failure =
        said.stream()
            .filter(line -> line.startsWith(ProbeMain.FAILED))
            .map(line -> line.substring(ProbeMain.FAILED.length()))
            .findFirst();
    if (failure.isPresent()) {
      return new Outcome.Failed(failure.get());
    }
    if (exit == 0 && said.contains(ProbeMain.DONE)) {
      return new Outcome.Answered(CudaFacts.ofLines(said));
    }
    return new Outcome.Failed(crash(text, exit) + " while " + doing(said) + lastWords(text));
  }

  private Outcome hanging(String text) {
    return new Outcome.Failed(
        "gave no answer for " + limit.toSeconds() + " seconds while " + doing(said(text)) + "; restart the machine?");
  }

  private static List<String> said(String text) {
    return text.lines()
        .filter(line -> line.startsWith(ProbeMain.MARK))
        .map(line -> line.substring(ProbeMain.MARK.length()))
        .toList();
  }

  private static String doing(List<String> said) {
    return said.reversed().stream()
        .filter(line -> line.startsWith(ProbeMain.DOING))
        .map(line -> line.substring(ProbeMain.DOING.length()))
        .findFirst()
        .orElse("starting a process for the first contact");
  }

  private static String crash(String text, int exit) {
    Matcher frame = FRAME.matcher(text);
    Matcher signal = SIGNAL.matcher(text);
    if (frame.find() && signal.find()) {
      return "crashed (%s in %s)".formatted(signal.group(1), frame.group(1).strip().replaceAll("\\s+", " "));
    }
    return exit > 128 ? "crashed (signal " + (exit - 128) + ")" : "ended with exit code " + exit;
  }

  /** What a library printed before it ended the process, if it is the last line and the JVM said nothing. */
  private static String lastWords(String text) {
    List<String> lines = text.lines().filter(line -> !line.isBlank()).toList();
    if (lines.isEmpty() || FRAME.matcher(text).find() || lines.getLast().startsWith(ProbeMain.MARK)) {
      return "";
    }
    String last = lines.getLast().strip();
    return ": " + (last.length() > LONGEST_LAST_WORDS ? last.substring(0, LONGEST_LAST_WORDS) + "…" : last);
  }
}
