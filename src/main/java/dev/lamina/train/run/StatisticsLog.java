package dev.lamina.train.run;

import dev.lamina.train.LayerStatistics;
import dev.lamina.train.ModelStatistics;
import dev.lamina.train.TrainingListener;
import dev.lamina.train.TrainingPlan;
import dev.lamina.train.WeightStatistics;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes what was seen inside the model to a file, one JSON object a line for each look, and keeps it for plots. */
public final class StatisticsLog implements TrainingListener {
  private final JsonLines lines;
  private final List<ModelStatistics> looks = new ArrayList<>();
  private ModelStatistics last;

  /** Writes to {@code file}, behind what is there. */
  public StatisticsLog(Path file) {
    lines = new JsonLines(file);
  }

  /** The {@link ModelStatistics#figures} of all looks of this run, without what it continues. */
  public List<ModelStatistics> looks() {
    return Collections.unmodifiableList(looks);
  }

  /** The last look with all that was seen; null if there was none. */
  public ModelStatistics last() {
    return last;
  }

  /** Goes on where the training does: what came after its checkpoint is done, and told, again. */
  @Override
  public void started(TrainingPlan plan) {
    lines.endTornLine();
    lines.cutFrom(line -> line.path("step").asLong(0) > plan.firstStep());
  }

  @Override
  public void observed(ModelStatistics statistics) {
    looks.add(statistics.figures());
    last = statistics;
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("step", statistics.step());
    line.put("epoch", statistics.epoch());
    line.put("examples", statistics.examples());
    line.put("layers", statistics.layers().stream().map(StatisticsLog::layer).toList());
    line.put("weights", statistics.weights().stream().map(StatisticsLog::weight).toList());
    lines.append(line);
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
