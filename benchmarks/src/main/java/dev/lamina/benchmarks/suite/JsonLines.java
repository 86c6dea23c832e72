package dev.lamina.benchmarks.suite;

import java.io.PrintStream;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/** Writes what was measured at once, an object to a line: what is known survives whatever comes after. */
final class JsonLines {
  private static final JsonMapper JSON = JsonMapper.shared();

  private final PrintStream out;

  JsonLines(PrintStream out) {
    this.out = out;
  }

  synchronized void write(Map<String, ?> values) {
    out.println(JSON.writeValueAsString(values));
    out.flush();
  }
}
