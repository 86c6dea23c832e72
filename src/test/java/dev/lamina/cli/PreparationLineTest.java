package dev.lamina.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.device.Preparation;
import dev.lamina.device.Preparation.Stage;
import dev.lamina.graph.Op;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What is seen while a model is made ready, on a clock of its own. */
class PreparationLineTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private long millis = Long.MAX_VALUE / 2_000_000;

  private PreparationLine line(boolean terminal, int columns) {
    Console console =
        new Console(
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            terminal);
    return new PreparationLine(console, () -> columns, () -> TimeUnit.MILLISECONDS.toNanos(millis));
  }

  private void show(PreparationLine line, Stage stage, int done, long later) {
    line.show(new Preparation(stage, done, 160, new Op.BatchNorm(1e-5)));
    millis += later;
  }

  private String drawn() {
    return err.toString(StandardCharsets.UTF_8);
  }

  @Test
  void whatIsQuickIsNotShown() {
    for (boolean terminal : new boolean[] {true, false}) {
      try (PreparationLine line = line(terminal, 80)) {
        show(line, Stage.CHOOSING, 0, 300);
        show(line, Stage.BINDING, 159, 100);
      }
    }
    assertEquals("", drawn() + out);
  }

  @Test
  void onATerminalOneLineChangesAndGoes() {
    try (PreparationLine line = line(true, 60)) {
      show(line, Stage.CHOOSING, 0, 600);
      show(line, Stage.CHOOSING, 41, 50);
      show(line, Stage.CHOOSING, 42, 100);
      show(line, Stage.BINDING, 7, 100);
    }
    assertEquals("", out.toString(StandardCharsets.UTF_8));
    String label = new Op.BatchNorm(1e-5).label();
    String first = "preparing: choosing algorithms, 41 of 160 kernels (" + label + ")";
    String second = "preparing: compiling, 7 of 160 kernels (" + label + ")";
    assertEquals("\r%-59.59s\r%-59.59s\r%-59s\r".formatted(first, second, ""), drawn());
  }

  @Test
  void elsewhereThereIsALineNowAndThen() {
    try (PreparationLine line = line(false, 80)) {
      for (int kernel = 0; kernel < 160; kernel++) {
        show(line, Stage.CHOOSING, kernel, 200);
      }
    }
    assertEquals("", drawn());
    String text = out.toString(StandardCharsets.UTF_8);
    assertEquals(3, text.lines().count(), text);
    assertTrue(text.startsWith("preparing: choosing algorithms, 50 of 160 kernels ("), text);
  }

  @Test
  void theNextModelBeginsAnew() {
    PreparationLine line = line(true, 80);
    show(line, Stage.CHOOSING, 0, 10_000);
    line.close();
    show(line, Stage.CHOOSING, 0, 100);
    show(line, Stage.CHOOSING, 1, 100);
    line.close();
    assertEquals("", drawn());
  }
}
