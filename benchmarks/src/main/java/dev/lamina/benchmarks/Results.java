package dev.lamina.benchmarks;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads what JMH writes as JSON. */
final class Results {
  private Results() {}

  /**
   * All measurements in a file.
   *
   * @throws IllegalArgumentException if there is no such file, or it is not of JMH's making
   */
  static List<Measurement> read(Path file) {
    if (!Files.isReadable(file)) {
      throw new IllegalArgumentException(file + ": there is no such file; benchmarks/run writes one");
    }
    try {
      List<Measurement> measurements = new ArrayList<>();
      JsonMapper.shared().readTree(file).forEach(node -> measurements.add(measurement(node)));
      return measurements;
    } catch (JacksonException | IllegalArgumentException e) {
      throw new IllegalArgumentException(
          file + ": not results of JMH: " + e.getMessage().lines().findFirst().orElse(""), e);
    }
  }

  private static Measurement measurement(JsonNode node) {
    JsonNode primary = required(node, "primaryMetric");
    if (!required(primary, "scoreUnit").asString().equals("ns/op")) {
      throw new IllegalArgumentException("expected times in ns/op, got " + primary.get("scoreUnit").asString());
    }
    // A benchmark is the class; its one method says nothing more. JMH leaves out an empty set of parameters.
    String[] path = required(node, "benchmark").asString().split("\\.", -1);
    SequencedMap<String, String> parameters = new LinkedHashMap<>();
    if (node.has("params")) {
      Map<String, String> sorted = new TreeMap<>();
      node.get("params").properties().forEach(p -> sorted.put(p.getKey(), p.getValue().asString()));
      // The device is what a reader looks for first.
      if (sorted.containsKey("device")) {
        parameters.put("device", sorted.remove("device"));
      }
      parameters.putAll(sorted);
    }
    Map<String, Double> figures = new TreeMap<>();
    required(node, "secondaryMetrics").properties().forEach(m -> figures.put(m.getKey(), figure(m.getValue())));
    return new Measurement(
        path[path.length - 2].replace("Benchmark", ""),
        parameters,
        number(primary, "score"),
        number(primary, "scoreError"),
        figures);
  }

  /** What every iteration says: their score is the sum of all. */
  private static double figure(JsonNode metric) {
    JsonNode fork = required(metric, "rawData").path(0);
    return number(fork.path(0));
  }

  private static JsonNode required(JsonNode node, String name) {
    JsonNode value = node.get(name);
    if (value == null) {
      throw new IllegalArgumentException("an entry has no " + name);
    }
    return value;
  }

  private static double number(JsonNode node, String name) {
    return number(required(node, name));
  }

  /** JMH writes NaN as a string. */
  private static double number(JsonNode value) {
    return value.isNumber() ? value.asDouble() : Double.parseDouble(value.asString());
  }
}
