package dev.lamina.cli;

import dev.lamina.study.Table;
import dev.lamina.study.Watcher;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/** Says what a study is doing: in one line that is written over on a terminal, now and then anywhere else. */
final class StudyProgress implements Watcher, AutoCloseable {
  /** Between two lines of a log: often enough to see life, seldom enough to read. */
  private static final long LINE_NANOS = 10_000_000_000L;

  private final Console console;
  private final BooleanSupplier stop;
  private final List<Table> tables = new ArrayList<>();
  private final int columns;
  private long nextLine = System.nanoTime() + LINE_NANOS;
  private int shown;

  StudyProgress(Console console, BooleanSupplier stop) {
    this.console = console;
    this.stop = stop;
    columns = console.terminal() ? TerminalWidth.columns() : 0;
  }

  @Override
  public void doing(String words) {
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

  @Override
  public void begun(Table table) {
    tables.add(table);
  }

  @Override
  public boolean wantsStop() {
    return stop.getAsBoolean();
  }

  /** Tables that have rows, whether or not all of them. */
  List<Table> filled() {
    return tables.stream().filter(table -> !table.isEmpty()).toList();
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
