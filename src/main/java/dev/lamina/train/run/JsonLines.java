package dev.lamina.train.run;

import dev.lamina.io.BadInputException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
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
