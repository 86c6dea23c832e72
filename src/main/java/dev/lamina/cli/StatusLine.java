package dev.lamina.cli;

import java.util.function.IntSupplier;

/** A line of a terminal that is written over again and again, and taken away before anything else is printed. */
final class StatusLine implements AutoCloseable {
  private final Console console;
  private final IntSupplier columns;
  private int room;

  StatusLine(Console console, IntSupplier columns) {
    this.console = console;
    this.columns = columns;
  }

  /** Characters that fit into the line; asked anew after each time it was taken away: windows change. */
  int room() {
    if (room == 0) {
      room = columns.getAsInt() - 1; // in the last column some terminals begin a new line
    }
    return room;
  }

  /** Shows as much of {@code words} as fits, and nothing of what was there. */
  void show(String words) {
    String line = words.substring(0, Math.min(words.length(), room()));
    draw(line + " ".repeat(room() - line.length()));
  }

  /** Writes over the line with text that is as long already. */
  void draw(String text) {
    console.err().print("\r" + text);
    console.err().flush();
  }

  /** Takes the line away, if there is one. */
  @Override
  public void close() {
    if (room > 0) {
      draw(" ".repeat(room) + "\r");
      room = 0;
    }
  }
}
