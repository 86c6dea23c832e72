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
  private final StatusLine line;
  private long nextLine = System.nanoTime() + LINE_NANOS;

  StudyProgress(Console console, BooleanSupplier stop) {
    this.console = console;
    this.stop = stop;
    line = new StatusLine(console, TerminalWidth::columns);
  }

  @Override
  public void doing(String words) {
    if (console.terminal()) {
      line.show(words);
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
    line.close();
  }
}
