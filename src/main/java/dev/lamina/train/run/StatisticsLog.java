package dev.lamina.train.run;

import dev.lamina.io.BadInputException;
import dev.lamina.train.LayerStatistics;
import dev.lamina.train.ModelStatistics;
import dev.lamina.train.TrainingListener;
import dev.lamina.train.WeightStatistics;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/** Writes what was seen inside the model to a file, one JSON object a line for each look, and keeps it for plots. */
public final class StatisticsLog implements TrainingListener {
  private static final JsonMapper JSON = new JsonMapper();

  private final Path file;
  private final List<ModelStatistics> all = new ArrayList<>();

  /** Writes to {@code file}, behind what is there. */
  public StatisticsLog(Path file) {
    this.file = file;
  }

  /** The looks of this run, without what it continues. */
  public List<ModelStatistics> all() {
    return Collections.unmodifiableList(all);
  }

  @Override
  public void observed(ModelStatistics statistics) {
    all.add(statistics);
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("step", statistics.step());
    line.put("epoch", statistics.epoch());
    line.put("examples", statistics.examples());
    line.put("layers", statistics.layers().stream().map(StatisticsLog::layer).toList());
    line.put("weights", statistics.weights().stream().map(StatisticsLog::weight).toList());
    try {
      Files.writeString(
          file,
          JSON.writeValueAsString(line) + "\n",
          StandardCharsets.UTF_8,
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw BadInputException.access("write", file, e);
    }
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
    return map;
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

  /** JSON has no word for what is no number. */
  private static void put(Map<String, Object> map, String key, double value) {
    if (Double.isFinite(value)) {
      map.put(key, value);
    }
  }
}
