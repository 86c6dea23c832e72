package dev.lamina.search;

import dev.lamina.io.AtomicFile;
import dev.lamina.io.BadInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Outcomes in the order in which trials ended, one JSON object a line. A line is on the disk before the search goes on;
 * one that a crash has cut short is taken away, for its trial goes on from its checkpoint.
 *
 * @param file it is in
 */
public record Journal(Path file) {
  private static final JsonMapper JSON = new JsonMapper();

  /** Adds an outcome; {@code values} of the trial by path are for readers of the file. */
  void append(Outcome outcome, Map<String, String> values, Path run) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("trial", outcome.trial());
    line.put("stage", outcome.stage());
    line.put("epochs", outcome.epochs());
    line.put("end", outcome.end().name().toLowerCase(Locale.ROOT));
    putIfNumber(line, "accuracy", outcome.accuracy());
    putIfNumber(line, "deviation", outcome.deviation());
    putIfNumber(line, "loss", outcome.loss());
    line.put("best_epoch", outcome.bestEpoch());
    line.put("examples", outcome.examples());
    line.put("folds", outcome.folds());
    line.put("seconds", outcome.seconds());
    line.put("reason", outcome.reason());
    line.put("values", values);
    line.put("run", run.toString());
    byte[] bytes = (JSON.writeValueAsString(line) + "\n").getBytes(StandardCharsets.UTF_8);
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND)) {
      append(channel, ByteBuffer.wrap(bytes));
    } catch (IOException e) {
      throw BadInputException.access("write", file, e);
    }
  }

  /** All of a line or nothing: the next one shall not be glued to a part of it. */
  static void append(FileChannel channel, ByteBuffer line) throws IOException {
    long before = channel.size();
    try {
      AtomicFile.writeFully(channel, line);
      channel.force(true);
    } catch (IOException e) {
      channel.truncate(before);
      throw e;
    }
  }

  private static void putIfNumber(Map<String, Object> line, String key, double value) {
    if (!Double.isNaN(value)) {
      line.put(key, value);
    }
  }

  /**
   * All outcomes so far.
   *
   * @throws BadInputException if a line is none, the last one excepted
   */
  public List<Outcome> read() {
    if (!Files.exists(file)) {
      return List.of();
    }
    try {
      byte[] bytes = Files.readAllBytes(file);
      int end = bytes.length;
      while (end > 0 && bytes[end - 1] != '\n') {
        end--;
      }
      if (end < bytes.length) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
          channel.truncate(end);
        }
      }
      List<String> lines = new String(bytes, 0, end, StandardCharsets.UTF_8).lines().toList();
      List<Outcome> outcomes = new ArrayList<>();
      IntStream.range(0, lines.size()).forEach(i -> outcomes.add(parse(lines.get(i), file + ":" + (i + 1))));
      return outcomes;
    } catch (IOException e) {
      throw BadInputException.access("read", file, e);
    }
  }

  private static Outcome parse(String line, String at) {
    try {
      JsonNode node = JSON.readTree(line);
      return new Outcome(
          node.required("trial").asInt(),
          node.required("stage").asInt(),
          node.required("epochs").asInt(),
          Outcome.End.valueOf(node.required("end").asString().toUpperCase(Locale.ROOT)),
          node.path("accuracy").asDouble(Double.NaN),
          node.path("deviation").asDouble(Double.NaN),
          node.path("loss").asDouble(Double.NaN),
          node.required("best_epoch").asInt(),
          node.required("examples").asLong(),
          StreamSupport.stream(node.required("folds").spliterator(), false).map(JsonNode::asDouble).toList(),
          node.required("seconds").asDouble(),
          node.required("reason").asString());
    } catch (JacksonException | IllegalArgumentException e) {
      throw new BadInputException(at + ": is no outcome of a trial; without this line the trial is done again", e);
    }
  }
}
