package dev.lamina.cli;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;

/** Asks the terminal how wide it is, which a Java program cannot know by itself. */
final class TerminalWidth {
  /** What terminals have been since punched cards, for one that does not tell. */
  private static final int USUAL = 80;

  /** Narrower ones cannot show a bar; and some pretend to have no width at all. */
  private static final int LEAST = 40;

  private TerminalWidth() {}

  /** Columns of the terminal that this process was started from. */
  static int columns() {
    try {
      Process stty =
          new ProcessBuilder("stty", "size")
              .redirectInput(new File("/dev/tty"))
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String answer = new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      stty.waitFor(1, TimeUnit.SECONDS);
      return parse(answer).orElse(USUAL);
    } catch (IOException _) {
      return USUAL;
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return USUAL;
    }
  }

  /** The second number of {@code rows columns}. */
  static OptionalInt parse(String size) {
    String[] numbers = size.strip().split(" ", -1);
    if (numbers.length != 2 || !numbers[1].matches("\\d{1,5}")) {
      return OptionalInt.empty();
    }
    int columns = Integer.parseInt(numbers[1]);
    return columns < LEAST ? OptionalInt.empty() : OptionalInt.of(columns);
  }
}
