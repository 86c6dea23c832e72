package dev.lamina.study;

import dev.lamina.io.BadInputException;
import dev.lamina.nn.Layer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * How long activations take on each device by the benchmarks' results, which JMH writes as JSON: forward and backward,
 * by themselves, on normal values of which more than caches hold.
 */
public final class ActivationTimes {
  private static final String BENCHMARK = "ActivationBenchmark";

  /** Parameters of the benchmark, besides activation, device and direction. */
  private static final Map<String, String> CIRCUMSTANCES =
      Map.of("size", "DRAM", "input", "NORMAL", "neighbour", "ALONE");

  private static final Set<String> DIRECTIONS = Set.of("FORWARD", "BACKWARD");

  private final Path file;

  /** By device, then by activation. */
  private final SortedMap<String, Map<String, Double>> nanos;

  private ActivationTimes(Path file, SortedMap<String, Map<String, Double>> nanos) {
    this.file = file;
    this.nanos = nanos;
  }

  /**
   * The times of {@code activations} on all devices that the file has.
   *
   * @param device to measure on what is missing, by the name that the device gives itself
   * @throws BadInputException if the file cannot be read, is not of JMH's making, or has one of them on no device
   */
  public static ActivationTimes read(Path file, String device, List<Layer> activations) {
    SortedMap<String, Map<String, Double>> parts = new TreeMap<>();
    try {
      JsonNode root = JsonMapper.shared().readTree(Files.readAllBytes(file));
      if (!root.isArray()) {
        throw new IllegalArgumentException("it does not begin with a list");
      }
      for (JsonNode result : root) {
        if (isWanted(result)) {
          JsonNode parameters = result.path("params");
          String on = text(parameters, "device");
          String part = text(parameters, "direction") + " " + plain(text(parameters, "activation"));
          if (parts.computeIfAbsent(on, _ -> new HashMap<>()).put(part, perValue(result)) != null) {
            throw new IllegalArgumentException("it has two results of " + part + " on " + on);
          }
        }
      }
    } catch (IOException e) {
      throw BadInputException.access("read", file, e);
    } catch (JacksonException | IllegalArgumentException e) {
      String reason = e.getMessage().lines().findFirst().orElse("");
      throw new BadInputException(
          file + " does not hold results of JMH (" + reason + "); " + command(device, activations) + " makes some", e);
    }
    SortedMap<String, Map<String, Double>> nanos = new TreeMap<>();
    List<String> missing = new ArrayList<>();
    for (Layer activation : activations) {
      String name = plain(name(activation));
      boolean found = false;
      for (var on : parts.entrySet()) {
        if (DIRECTIONS.stream().allMatch(direction -> on.getValue().containsKey(direction + " " + name))) {
          double sum = DIRECTIONS.stream().mapToDouble(direction -> on.getValue().get(direction + " " + name)).sum();
          nanos.computeIfAbsent(on.getKey(), _ -> new HashMap<>()).put(name, sum);
          found = true;
        }
      }
      if (!found) {
        missing.add(name(activation));
      }
    }
    if (!missing.isEmpty()) {
      throw new BadInputException(
          file + " has no times of " + String.join(", ", missing) + "; make them with " + command(device, activations));
    }
    return new ActivationTimes(file, nanos);
  }

  /** Those that the file has, one at least. */
  public Set<String> devices() {
    return nanos.keySet();
  }

  /** What makes such a file for a device. */
  public static String command(String device, List<Layer> activations) {
    return "benchmarks/run "
        + BENCHMARK
        + " -p size=DRAM -p input=NORMAL -p neighbour=ALONE -p device="
        + device
        + (activations.size() > 4
            ? ""
            : " -p activation="
                + activations.stream().map(a -> name(a).toUpperCase(Locale.ROOT)).collect(Collectors.joining(",")));
  }

  /** A column of a table for each device. */
  public List<String> columns() {
    return devices().stream().map(on -> "forward and backward in ns a value, " + on + " (JMH)").toList();
  }

  /**
   * Nanoseconds for a value's output and gradients, x and the gradient of y given, on each of {@link #devices}; NaN
   * where the file has none.
   */
  public List<Double> nanosPerValue(Layer activation) {
    String name = plain(name(activation));
    return nanos.values().stream().map(on -> on.getOrDefault(name, Double.NaN)).toList();
  }

  /** What was measured, and where it was found. */
  public String words() {
    return "output and gradients by JMH, in " + file + ", each by itself on normal values that no cache holds";
  }

  private static String name(Layer activation) {
    return activation.getClass().getSimpleName();
  }

  /** Classes and the benchmark's constants differ in case and underscores: LeakyReLU, LEAKY_RELU. */
  private static String plain(String name) {
    return name.replace("_", "").toUpperCase(Locale.ROOT);
  }

  private static boolean isWanted(JsonNode result) {
    JsonNode parameters = result.path("params");
    return text(result, "benchmark").contains("." + BENCHMARK + ".")
        && DIRECTIONS.contains(text(parameters, "direction"))
        && CIRCUMSTANCES.entrySet().stream().allMatch(e -> text(parameters, e.getKey()).equals(e.getValue()));
  }

  private static double perValue(JsonNode result) {
    JsonNode time = result.path("primaryMetric");
    if (!text(time, "scoreUnit").equals("ns/op")) {
      throw new IllegalArgumentException("expected times in ns/op, got '" + text(time, "scoreUnit") + "'");
    }
    // The score of such a counter is the sum over all iterations; each iteration has the same.
    JsonNode elements = result.path("secondaryMetrics").path("elements").path("rawData").path(0).path(0);
    return positive(time.path("score"), "time") / positive(elements, "number of elements");
  }

  private static double positive(JsonNode node, String what) {
    if (node.isNumber() && node.asDouble() > 0) {
      return node.asDouble();
    }
    throw new IllegalArgumentException("a " + what + " is missing or not above 0");
  }

  /** A text, empty where there is none. */
  private static String text(JsonNode node, String name) {
    return node.path(name).asString("");
  }
}
