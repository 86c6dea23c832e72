package dev.lamina.cli;

import java.util.function.Consumer;

/** Says what a study is doing: in one line that is written over on a terminal, now and then anywhere else. */
final class StudyProgress implements Consumer<String>, AutoCloseable {
  /** Between two lines of a log: often enough to see life, seldom enough to read. */
  private static final long LINE_NANOS = 10_000_000_000L;

  private final Console console;
  private final int columns;
  private long nextLine = System.nanoTime() + LINE_NANOS;
  private int shown;

  StudyProgress(Console console) {
    this.console = console;
    columns = console.terminal() ? TerminalWidth.columns() : 0;
  }

  @Override
  public void accept(String words) {
    if (console.terminal()) {
      String line = words.substring(0, Math.min(words.length(), columns - 1));
      console.err().print("\r" + line + " ".repeat(Math.max(0, shown - line.length())));
      console.err().flush();
      shown = line.length();
    } else if (System.nanoTime() >= nextLine) {
      nextLine = System.nanoTime() + LINE_NANOS;
      console.line("%s", words);
    }
  }

  /** Takes the line away. */
  @Override
  public void close() {
    if (shown > 0) {
      console.err().print("\r" + " ".repeat(shown) + "\r");
      console.err().flush();
      shown = 0;
    }
  }
}
