package dev.lamina.train.run;

import dev.lamina.train.LayerStatistics;
import dev.lamina.train.LayerStatistics.Histogram;
import dev.lamina.train.ModelStatistics;
import dev.lamina.train.TrainingListener;
import dev.lamina.train.TrainingPlan;
import dev.lamina.train.WeightStatistics;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/** Writes what was seen inside the model to a file, one JSON object a line for each look. */
public final class StatisticsLog implements TrainingListener {
  /** Looks that are read again: no picture has more points across, and each may tell of hundreds of layers. */
  static final int MOST = 1000;

  private final JsonLines lines;

  /** Writes to {@code file}, behind what is there. */
  public StatisticsLog(Path file) {
    lines = new JsonLines(file);
  }

  /**
   * The looks in {@code file}, or every second of them, every fourth …: at most {@link #MOST}, of which only {@link
   * ModelStatistics#figures} are kept, and the last one, of which all is there that was written.
   */
  static List<ModelStatistics> read(Path file) {
    List<ModelStatistics> looks = new ArrayList<>();
    int[] lines = new int[1];
    int[] every = {1};
    JsonNode[] last = new JsonNode[1];
    new JsonLines(file)
        .read(line -> {
          if (last[0] != null && lines[0]++ % every[0] == 0) {
            looks.add(look(last[0]).figures());
          }
          last[0] = line;
          if (looks.size() > MOST) {
            for (int i = looks.size() - 1; i > 0; i--) {
              if (i % 2 == 1) {
                looks.remove(i);
              }
            }
            every[0] *= 2;
          }
        });
    if (last[0] != null) {
      looks.add(look(last[0]));
    }
    return looks;
  }

  /** Goes on where the training does: what came after its checkpoint is done, and told, again. */
  @Override
  public void started(TrainingPlan plan) {
    lines.endTornLine();
    lines.cutFrom(line -> line.path("step").asLong(0) > plan.firstStep());
  }

  @Override
  public void observed(ModelStatistics statistics) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("step", statistics.step());
    line.put("epoch", statistics.epoch());
    line.put("examples", statistics.examples());
    line.put("layers", statistics.layers().stream().map(StatisticsLog::layer).toList());
    line.put("weights", statistics.weights().stream().map(StatisticsLog::weight).toList());
    lines.append(line);
  }

  private static ModelStatistics look(JsonNode line) {
    return new ModelStatistics(
        line.path("step").asLong(),
        line.path("epoch").asInt(),
        line.path("examples").asInt(),
        line.path("layers").valueStream().map(StatisticsLog::layer).toList(),
        line.path("weights").valueStream().map(StatisticsLog::weight).toList());
  }

  private static Map<String, Object> layer(LayerStatistics layer) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("path", layer.path());
    map.put("kind", layer.kind());
    put(map, "mean", layer.mean());
    put(map, "std", layer.deviation());
    put(map, "gradient_mean", layer.gradientMean());
    put(map, "gradient_std", layer.gradientDeviation());
    put(map, "zeros", layer.zeros());
    put(map, "saturated", layer.saturated());
    put(map, "dead_units", layer.deadUnits());
    put(map, "low", layer.histogram().low());
    put(map, "high", layer.histogram().high());
    map.put("histogram", layer.histogram().counts());
    put(map, "gradient_low", layer.gradientHistogram().low());
    put(map, "gradient_high", layer.gradientHistogram().high());
    map.put("gradient_histogram", layer.gradientHistogram().counts());
    return map;
  }

  private static LayerStatistics layer(JsonNode map) {
    return new LayerStatistics(
        map.path("path").asString(""),
        map.path("kind").asString(""),
        number(map, "mean"),
        number(map, "std"),
        number(map, "gradient_mean"),
        number(map, "gradient_std"),
        number(map, "zeros"),
        number(map, "saturated"),
        number(map, "dead_units"),
        List.of(),
        histogram(map, ""),
        histogram(map, "gradient_"));
  }

  private static Histogram histogram(JsonNode map, String of) {
    List<Long> counts = map.path(of + "histogram").valueStream().map(JsonNode::asLong).toList();
    return new Histogram(number(map, of + "low"), number(map, of + "high"), counts);
  }

  private static Map<String, Object> weight(WeightStatistics weight) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("name", weight.name());
    put(map, "norm", weight.norm());
    put(map, "gradient_norm", weight.gradientNorm());
    put(map, "update_norm", weight.updateNorm());
    put(map, "update_ratio", weight.updateRatio());
    return map;
  }

  private static WeightStatistics weight(JsonNode map) {
    return new WeightStatistics(
        map.path("name").asString(""), number(map, "norm"), number(map, "gradient_norm"), number(map, "update_norm"));
  }

  private static double number(JsonNode map, String key) {
    return map.path(key).asDouble(Double.NaN);
  }

  /** JSON has no word for what is no number. */
  private static void put(Map<String, Object> map, String key, double value) {
    if (Double.isFinite(value)) {
      map.put(key, value);
    }
  }
}
