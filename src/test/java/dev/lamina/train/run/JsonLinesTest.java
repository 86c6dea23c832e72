package dev.lamina.train.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.lamina.train.CompiledModel;
import dev.lamina.train.LayerStatistics;
import dev.lamina.train.LayerStatistics.Histogram;
import dev.lamina.train.ModelStatistics;
import dev.lamina.train.TrainingListener;
import dev.lamina.train.TrainingPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JsonLinesTest {
  @TempDir private Path folder;

  private static ModelStatistics look(long step) {
    Histogram histogram = new Histogram(0, 1, List.of(3L, 4L));
    var layer = new LayerStatistics("relu1", "relu", 0, 1, 0, 1, 0, Double.NaN, 0.5, List.of(0.0, 1.0), histogram);
    return new ModelStatistics(step, 1, 10, List.of(layer), List.of());
  }

  /** A training that goes on after so many updates. */
  private static TrainingPlan from(long step) {
    var memory = new CompiledModel.MemoryNeed(0, 0, 0);
    return new TrainingPlan("reference", 1, memory, 100, 0, 10, 1, 3, 10, step, List.of());
  }

  @Test
  void whatATrainingDoesAgainItTellsOnce() throws IOException {
    List<String> lines =
        List.of(
            "{\"kind\":\"step\",\"step\":7}",
            "{\"kind\":\"epoch\",\"step\":10}",
            "{\"st",
            "{\"step\":13}",
            "{\"step\":14}");
    for (boolean isMetrics : new boolean[] {true, false}) {
      Path file = folder.resolve(isMetrics ? "metrics.jsonl" : "layers.jsonl");
      Files.write(file, lines);
      TrainingListener log = isMetrics ? new MetricsLog(file) : new StatisticsLog(file);
      log.started(from(14));
      assertEquals(lines, Files.readAllLines(file));
      log.started(from(10));
      assertEquals(lines.subList(0, 3), Files.readAllLines(file));
      log.started(from(0));
      assertEquals("", Files.readString(file));
    }
  }

  /** A kill in the midst of a line costs that line alone. */
  @Test
  void aTornLineIsEndedBeforeTheNext() throws IOException {
    for (boolean isMetrics : new boolean[] {true, false}) {
      Path file = folder.resolve(isMetrics ? "metrics.jsonl" : "layers.jsonl");
      Files.writeString(file, "{\"step\":1}\n{\"ste");
      (isMetrics ? new MetricsLog(file) : new StatisticsLog(file)).started(from(1));
      new JsonLines(file).append(java.util.Map.of("step", 2));
      assertEquals(List.of("{\"step\":1}", "{\"ste", "{\"step\":2}"), Files.readAllLines(file));
    }
  }

  @Test
  void whatEndsWellOrIsNotThereIsLeftAlone() throws IOException {
    Path file = folder.resolve("lines");
    new JsonLines(file).endTornLine();
    assertFalse(Files.exists(file));
    Files.writeString(file, "{}\n");
    new JsonLines(file).endTornLine();
    assertEquals("{}\n", Files.readString(file));
  }

  /** A long training has thousands of looks, and a network tens of thousands of units. */
  @Test
  void onlyFiguresAreKeptOfAllLooksButTheLast() {
    var log = new StatisticsLog(folder.resolve("layers.jsonl"));
    log.observed(look(100));
    log.observed(look(200));
    assertEquals(List.of(100L, 200L), log.looks().stream().map(ModelStatistics::step).toList());
    for (ModelStatistics look : log.looks()) {
      assertEquals(List.of(), look.layers().getFirst().unitPeaks());
      assertEquals(List.of(), look.layers().getFirst().histogram().counts());
      assertEquals(0.5, look.layers().getFirst().deadUnits());
    }
    assertEquals(List.of(3L, 4L), log.last().layers().getFirst().histogram().counts());
  }
}
