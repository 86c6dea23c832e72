package dev.lamina.train.run;

import dev.lamina.io.AtomicFile;
import dev.lamina.io.BadInputException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A file that grows by a JSON object a line.
 *
 * @param file need not exist
 */
record JsonLines(Path file) {
  private static final JsonMapper JSON = new JsonMapper();

  /** Writes {@code line} behind what is there. */
  void append(Map<String, Object> line) {
    write(JSON.writeValueAsString(line) + "\n");
  }

  /** Ends a line that an earlier run had to leave in the middle. */
  void endTornLine() {
    try {
      if (Files.exists(file) && Files.size(file) > 0 && last() != '\n') {
        write("\n");
      }
    } catch (IOException e) {
      throw BadInputException.access("read", file, e);
    }
  }

  /**
   * Takes away the first line that {@code isUndone} and all behind it: they tell of what is going to be done again. A
   * line that was cut short is no reason to.
   */
  void cutFrom(Predicate<JsonNode> isUndone) {
    try {
      // A line may have been cut within a letter, which readAllLines takes for another encoding.
      byte[] bytes = Files.exists(file) ? Files.readAllBytes(file) : new byte[0];
      List<String> lines = new String(bytes, StandardCharsets.UTF_8).lines().toList();
      List<String> kept = lines.stream().takeWhile(line -> !isUndone.test(parse(line))).toList();
      if (kept.size() < lines.size()) {
        AtomicFile.writeText(file, kept.stream().map(line -> line + "\n").collect(Collectors.joining()));
      }
    } catch (IOException e) {
      throw BadInputException.access("read", file, e);
    }
  }

  /** Hands out all lines, one after the other; without those that a crash or a full disk has cut short. */
  void read(Consumer<JsonNode> reader) {
    if (!Files.exists(file)) {
      return;
    }
    // Not Files.lines: a line may have been cut within a letter, which that takes for another encoding.
    try (var lines = new BufferedReader(new InputStreamReader(Files.newInputStream(file), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        JsonNode node = parse(line);
        if (!node.isMissingNode()) {
          reader.accept(node);
        }
      }
    } catch (IOException e) {
      throw BadInputException.access("read", file, e);
    }
  }

  /** One line; a missing node if it was cut short. */
  private static JsonNode parse(String line) {
    try {
      return JSON.readTree(line);
    } catch (JacksonException _) {
      return JSON.missingNode();
    }
  }

  private int last() throws IOException {
    try (var bytes = new RandomAccessFile(file.toFile(), "r")) {
      bytes.seek(bytes.length() - 1);
      return bytes.read();
    }
  }

  private void write(String text) {
    try {
      Files.writeString(file, text, StandardCharsets.UTF_8, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw BadInputException.access("write", file, e);
    }
  }
}
