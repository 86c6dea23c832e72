package dev.lamina.train.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.lamina.train.Diagnosis;
import dev.lamina.train.LayerStatistics;
import dev.lamina.train.LayerStatistics.Histogram;
import dev.lamina.train.ModelStatistics;
import dev.lamina.train.TrainingListener;
import dev.lamina.train.TrainingPlan;
import dev.lamina.train.WeightStatistics;
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
    Histogram gradients = new Histogram(-0.5, 0.5, List.of(5L, 2L));
    double none = Double.NaN;
    List<Double> units = List.of(0.0, 1.0);
    var layer = new LayerStatistics("relu1", "relu", 0.1, 1, 0.2, 2, 0.3, none, 0.5, units, histogram, gradients);
    return new ModelStatistics(step, 1, 10, List.of(layer), List.of(new WeightStatistics("a.weight", 2, 3, 0.25)));
  }

  /** A training that goes on after so many updates. */
  private static TrainingPlan from(long step) {
    return new TrainingPlan("reference", 1, 100, 0, 10, 1, 3, 10, step);
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
      assertEquals(lines, withoutStarts(file));
      log.started(from(10));
      assertEquals(lines.subList(0, 3), withoutStarts(file));
      log.started(from(0));
      assertEquals(List.of(), withoutStarts(file));
    }
  }

  private static List<String> withoutStarts(Path file) throws IOException {
    return Files.readAllLines(file).stream().filter(line -> !line.contains("\"start\"")).toList();
  }

  @Test
  void findingsAreLinesWhichGoWithWhatIsDoneAgain() throws IOException {
    MetricsLog log = new MetricsLog(folder.resolve("metrics.jsonl"));
    log.started(from(0));
    log.found(new Diagnosis.Finding("relu1 dead", "relu1: dead", 1, 10));
    log.found(new Diagnosis.Finding("vanishing", "it vanishes", 2, 20));
    log.started(from(10));
    List<String> left = withoutStarts(folder.resolve("metrics.jsonl"));
    assertEquals(
        List.of("{\"kind\":\"finding\",\"epoch\":1,\"step\":10,\"about\":\"relu1 dead\",\"finding\":\"relu1: dead\"}"),
        left);
    assertEquals(List.of(), new RunFolder(folder).points());
  }

  /** A kill in the midst of a line costs that line alone. */
  @Test
  void aTornLineIsEndedBeforeTheNext() throws IOException {
    for (boolean isMetrics : new boolean[] {true, false}) {
      Path file = folder.resolve(isMetrics ? "metrics.jsonl" : "layers.jsonl");
      Files.writeString(file, "{\"step\":1}\n{\"ste");
      (isMetrics ? new MetricsLog(file) : new StatisticsLog(file)).started(from(1));
      new JsonLines(file).append(java.util.Map.of("step", 2));
      assertEquals(List.of("{\"step\":1}", "{\"ste", "{\"step\":2}"), withoutStarts(file));
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

  @Test
  void ofVeryManyLooksSomeAreReadAtEqualDistances() {
    RunFolder run = new RunFolder(folder);
    var log = new StatisticsLog(run.layers());
    for (int i = 1; i <= 2 * StatisticsLog.MOST + 10; i++) {
      log.observed(new ModelStatistics(i, 1, 10, List.of(), List.of()));
    }
    List<ModelStatistics> looks = run.looks();
    assertEquals(List.of(1L, 5L, 9L), looks.subList(0, 3).stream().map(ModelStatistics::step).toList());
    assertEquals(2 * StatisticsLog.MOST + 10, looks.getLast().step());
    assertEquals(504, looks.size());
  }

  /** A long training has thousands of looks, and a network tens of thousands of units. */
  @Test
  void whatWasWrittenIsReadAgainWithCountsOfTheLastLookOnly() {
    RunFolder run = new RunFolder(folder);
    assertEquals(List.of(), run.looks());
    var log = new StatisticsLog(run.layers());
    log.observed(look(100));
    log.observed(look(200));
    List<ModelStatistics> looks = run.looks();
    assertEquals(look(100).figures(), looks.getFirst());
    assertEquals(look(200).layers().getFirst().histogram(), looks.getLast().layers().getFirst().histogram());
    assertEquals(
        look(200).layers().getFirst().gradientHistogram(), looks.getLast().layers().getFirst().gradientHistogram());
    assertEquals(look(200).figures(), looks.getLast().figures());
  }
}
