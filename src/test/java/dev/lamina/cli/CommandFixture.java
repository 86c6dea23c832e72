package dev.lamina.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.data.Stripes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** Uses the command line as a user would, with a folder of its own and data that are learned in a moment. */
abstract class CommandFixture {
  @TempDir Path folder;

  /** Of {@link Stripes}. */
  Path data;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @BeforeEach
  void writeData() throws IOException {
    data = Stripes.THREE.write(folder.resolve("stripes"), 120, 30);
  }

  /** Runs a command, not on a terminal; its exit code. */
  final int run(String... args) {
    out.reset();
    err.reset();
    Console console =
        new Console(
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            false);
    return Main.run(console, args);
  }

  /** What the last command printed. */
  final String said() {
    return out.toString(StandardCharsets.UTF_8);
  }

  /** The same by lines. */
  final List<String> outLines() {
    return said().lines().toList();
  }

  /** What the last command printed on the error stream. */
  final String complaint() {
    return err.toString(StandardCharsets.UTF_8).strip();
  }

  /** Runs what must fail with code 2 and one line on the error stream, of which {@code expected} is a part. */
  final void assertComplaint(String expected, String... args) {
    int code = run(args);
    String complaint = complaint();
    assertEquals(1, complaint.lines().count(), "one line, got " + complaint);
    assertEquals(Main.BAD_INPUT, code, complaint);
    assertTrue(complaint.startsWith("lamina: ") && complaint.contains(expected), complaint);
  }

  final Path recipe(String text) throws IOException {
    return Files.writeString(folder.resolve("recipe.yaml"), text);
  }

  /** A small training; the folder of its run. */
  final Path trained() throws IOException {
    Path run = folder.resolve("run");
    Path recipe =
        recipe(
            """
            data: %s
            model: [flatten, {dense: 8}, relu, {dense: 3}]
            device: reference
            batch: 20
            epochs: 4
            lr: 0.02
            validation: 0.1
            """
                .formatted(data));
    assertEquals(Main.OK, run("train", recipe.toString(), "--out", run.toString(), "--json"), this::complaint);
    return run;
  }
}
