package dev.lamina.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class StatusLineTest {
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private final Console console =
      new Console(
          new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8),
          new PrintStream(err, true, StandardCharsets.UTF_8),
          true);
  private int columns = 8;

  private String drawn() {
    return err.toString(StandardCharsets.UTF_8);
  }

  @Test
  void wordsAreCutToTheLineAndCoverThoseBefore() {
    try (StatusLine line = new StatusLine(console, () -> columns)) {
      line.show("far too long");
      line.show("short");
    }
    assertEquals("\rfar too\rshort  \r       \r", drawn());
  }

  @Test
  void whatWasNeverShownIsNotTakenAway() {
    new StatusLine(console, () -> columns).close();
    assertEquals("", drawn());
  }

  @Test
  void theWidthIsAskedAnewForTheNextLine() {
    StatusLine line = new StatusLine(console, () -> columns);
    line.show("one");
    columns = 4;
    assertEquals(7, line.room());
    line.close();
    assertEquals(3, line.room());
  }
}
