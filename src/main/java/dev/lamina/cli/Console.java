package dev.lamina.cli;

import dev.lamina.io.BadInputException;
import java.io.IOException;
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

  /** Draws to a file. */
  @FunctionalInterface
  interface Drawing {
    void draw() throws IOException;
  }

  /** A line of results; numbers are written the same way everywhere. */
  @SuppressWarnings("AnnotateFormatMethod") // The annotation would be the only use of another library.
  void line(String format, Object... arguments) {
    out.println(arguments.length == 0 ? format : String.format(Locale.ROOT, format, arguments));
  }

  /** A line that is no result: what went wrong, or is not as one might think. */
  void complain(String words) {
    err.println("lamina: " + words);
  }

  /** Draws a plot of results. They are worth having without it, so a failure is no more than a complaint. */
  void drawing(Drawing plot) {
    try {
      plot.draw();
    } catch (BadInputException e) {
      complain("no plot was drawn: " + e.getMessage());
    } catch (IOException | RuntimeException | InternalError | LinkageError e) {
      complainOfFonts("no plot was drawn", e);
    }
  }

  /** Says that {@code what} was not to be, and why that may be. */
  void complainOfFonts(String what, Throwable e) {
    complain(what + " (" + e + "); fonts may be missing: apt-get install fontconfig fonts-dejavu-core");
  }
}
