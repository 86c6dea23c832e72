package dev.lamina.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lamina.io.BadInputException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConsoleTest {
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private final Console console =
      new Console(
          new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8),
          new PrintStream(err, true, StandardCharsets.UTF_8),
          false);

  private String complaintOf(Console.Drawing plot) {
    err.reset();
    console.drawing(plot);
    return err.toString(StandardCharsets.UTF_8).strip();
  }

  /** The Java library has an error of its own for a machine without fonts, a second one for each later attempt. */
  @Test
  void withoutFontsNothingIsLostButThePlot() {
    List<Console.Drawing> failures =
        List.of(
            () -> {
              throw new InternalError("no fonts");
            },
            () -> {
              throw new NoClassDefFoundError("no fonts");
            },
            () -> {
              throw new IOException("no fonts");
            },
            () -> {
              throw new IllegalStateException("no fonts");
            });
    for (Console.Drawing failure : failures) {
      String complaint = complaintOf(failure);
      assertEquals(
          "lamina: no plot was drawn (…: no fonts); fonts may be missing: apt-get install fontconfig fonts-dejavu-core",
          complaint.replaceAll("java\\.[\\w.]+", "…"));
    }
  }

  @Test
  void fontsAreNotBlamedForAFileThatCannotBeWritten() {
    Path file = Path.of("plot.png");
    assertEquals(
        "lamina: no plot was drawn: cannot write plot.png: permission denied",
        complaintOf(() -> {
          throw BadInputException.access("write", file, new AccessDeniedException("plot.png"));
        }));
  }
}
