package dev.lamina.cli;

import dev.lamina.device.Preparation;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/**
 * Shows how far a model has been made ready for its device, where that takes a while: one line that changes on a
 * terminal, a line now and then anywhere else.
 */
final class PreparationLine implements AutoCloseable {
  /** A line that comes and goes within a blink is noise. */
  private static final long PATIENCE_NANOS = 500_000_000L;

  /** Between two changes of the line on a terminal. */
  private static final long CHANGE_NANOS = 100_000_000L;

  /** Between two lines of a log. */
  private static final long LINE_NANOS = 10_000_000_000L;

  private final Console console;
  private final StatusLine line;
  private final LongSupplier nanos;
  private boolean waits;
  private long next;

  PreparationLine(Console console) {
    this(console, TerminalWidth::columns, System::nanoTime);
  }

  /** With other sources of the terminal's width and the time. */
  PreparationLine(Console console, IntSupplier columns, LongSupplier nanos) {
    this.console = console;
    line = new StatusLine(console, columns);
    this.nanos = nanos;
  }

  /** Tells of {@code kernel}, if it is time to. */
  void show(Preparation kernel) {
    long now = nanos.getAsLong();
    if (!waits) {
      waits = true;
      next = now + (console.terminal() ? PATIENCE_NANOS : LINE_NANOS);
    } else if (now - next >= 0) {
      next = now + (console.terminal() ? CHANGE_NANOS : LINE_NANOS);
      tell(words(kernel));
    }
  }

  private void tell(String words) {
    if (console.terminal()) {
      line.show(words);
    } else {
      console.line("%s", words);
    }
  }

  private static String words(Preparation kernel) {
    String doing =
        switch (kernel.stage()) {
          case CHOOSING -> "choosing algorithms";
          case BINDING -> "compiling";
        };
    return "preparing: %s, %d of %d kernels (%s)".formatted(doing, kernel.done(), kernel.all(), kernel.next().label());
  }

  /** Takes the line away. */
  @Override
  public void close() {
    line.close();
    waits = false;
  }
}
