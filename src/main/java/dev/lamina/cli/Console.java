package dev.lamina.cli;

import java.io.PrintStream;
import java.util.Locale;

/**
 * Where a command writes.
 *
 * @param out results
 * @param err complaints, and the progress bar
 * @param terminal whether somebody watches who can be shown a bar
 */
record Console(PrintStream out, PrintStream err, boolean terminal) {

  /** A line of results; numbers are written the same way everywhere. */
  @SuppressWarnings("AnnotateFormatMethod") // The annotation would be the only use of another library.
  void line(String format, Object... arguments) {
    out.println(arguments.length == 0 ? format : String.format(Locale.ROOT, format, arguments));
  }
}
