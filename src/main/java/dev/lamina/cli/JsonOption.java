package dev.lamina.cli;

import java.util.Map;
import picocli.CommandLine.Option;
import tools.jackson.databind.json.JsonMapper;

/** For programs that read what a command found. */
final class JsonOption {
  @Option(names = "--json", description = "Prints the result as one JSON object in the last line.")
  private boolean isWanted;

  /** Prints {@code result}, if it was asked for. */
  void print(Console console, Map<String, ?> result) {
    if (isWanted) {
      console.out().println(new JsonMapper().writeValueAsString(result));
    }
  }
}
