package dev.lamina.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.train.EpochReport;
import dev.lamina.train.Evaluation;
import dev.lamina.train.TrainingProgress;
import dev.lamina.train.UnitVariance;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConsoleProgressTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private Console console(boolean terminal) {
    return new Console(
        new PrintStream(out, true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        terminal);
  }

  private static Evaluation figures() {
    return new Evaluation(49_984, 0.0362, 0.98941, Double.NaN, new long[0][0]);
  }

  /** What the terminal gets, from one carriage return to the next, without colours. */
  private List<String> drawn() {
    String text = err.toString(StandardCharsets.UTF_8).replaceAll("\u001b\\[[0-9;?]*[a-zA-Z]", "");
    return Arrays.stream(text.split("\r", -1)).filter(line -> !line.isBlank()).toList();
  }

  @ParameterizedTest
  @ValueSource(ints = {80, 100, 200})
  void theBarIsOneLineWithAllFigures(int columns) {
    try (ConsoleProgress progress = new ConsoleProgress(console(true), () -> columns)) {
      progress.progressed(new TrainingProgress(16, 30, 13_900, 26_700, 0.01, figures(), 15_497, 432));
    }
    assertFalse(drawn().isEmpty());
    String line = drawn().getLast();
    assertTrue(line.length() < columns, line);
    assertTrue(line.startsWith("epoch 16/30"), line);
    assertTrue(line.contains("61%"), line);
    assertTrue(line.contains("━━━"), line);
    assertTrue(line.stripTrailing().endsWith("98.94 %, 15,497 images/s, 7 min 12 s left"), line);
    assertTrue(line.contains(columns < 100 ? " loss 0.0362, 98.94 %" : " loss 0.0362, accuracy 98.94 %"), line);
  }

  @Test
  void theFirstStepOfManyHasAllFiguresToo() {
    try (ConsoleProgress progress = new ConsoleProgress(console(true), () -> 80)) {
      progress.progressed(new TrainingProgress(1, 4, 1, 3_560, 0.01, figures(), 9, 2_587));
    }
    String line = drawn().getLast();
    assertTrue(line.stripTrailing().endsWith(" 9 images/s, 43 min 7 s left"), line);
    assertTrue(line.length() < 80, line);
  }

  @Test
  void anEpochThatEndsTakesItsBarAway() {
    try (ConsoleProgress progress = new ConsoleProgress(console(true), () -> 80)) {
      progress.progressed(new TrainingProgress(1, 30, 500, 26_700, 0.01, figures(), 15_497, 432));
      progress.epochEnded(new EpochReport(1, 30, 890, 0.01, figures(), null, true, 3.2, 15_497));
    }
    String text = err.toString(StandardCharsets.UTF_8);
    assertFalse(text.contains("\n"), text);
    // Carriage return, blanks over the whole bar, carriage return.
    assertTrue(text.matches("(?s).*left\r+ {70,79}\r"), text);
    assertEquals(
        "epoch 1/30: training loss 0.0362, accuracy 98.94 %, the best so far (15,497 images/s, 3.2 s)\n",
        out.toString(StandardCharsets.UTF_8));
  }

  @Test
  void aLayerThatScalingDidNotBringToUnitVarianceIsTold() {
    try (ConsoleProgress progress = new ConsoleProgress(console(false), () -> 80)) {
      progress.scaled(
          List.of(
              new UnitVariance.Scaled("dense1", 0.2, 1.05, 1, 0.1),
              new UnitVariance.Scaled("dense2", 3, 2.5, 10, 0.1)));
    }
    assertEquals(1, out.toString(StandardCharsets.UTF_8).lines().count());
    assertTrue(
        out.toString(StandardCharsets.UTF_8)
            .startsWith("init lsuv: the output of dense2 has variance 2.50 after 10 rounds, not 1 to 0.1: "));
  }

  @Test
  void thereIsNoBarWithoutATerminal() {
    try (ConsoleProgress progress = new ConsoleProgress(console(false), () -> 80)) {
      progress.progressed(new TrainingProgress(1, 30, 500, 26_700, 0.01, figures(), 15_497, 432));
    }
    assertEquals("", err.toString(StandardCharsets.UTF_8));
    assertEquals(
        "step 500 of 26,700: loss 0.0362, accuracy 98.94 %, 15,497 images/s, 7 min 12 s left\n",
        out.toString(StandardCharsets.UTF_8));
  }

  @Test
  void theWidthIsTheSecondNumber() {
    assertEquals(OptionalInt.of(132), TerminalWidth.parse("24 132\n"));
    for (String nonsense : List.of("", "24", "0 0", "24 -1", "rows columns", "24 132 1")) {
      assertEquals(OptionalInt.empty(), TerminalWidth.parse(nonsense), nonsense);
    }
  }
}
