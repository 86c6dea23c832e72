package dev.lamina.train.run;

import dev.lamina.train.Diagnosis;
import dev.lamina.train.EpochReport;
import dev.lamina.train.Evaluation;
import dev.lamina.train.TrainingListener;
import dev.lamina.train.TrainingPlan;
import dev.lamina.train.TrainingProgress;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Writes the figures of a training to a file, one JSON object a line: what begins, a step every second, every epoch,
 * what was found to be wrong, at the end the test.
 */
public final class MetricsLog implements TrainingListener {
  private static final long STEP_NANOS = 1_000_000_000L;

  private final JsonLines lines;
  private long nextStep = System.nanoTime();

  /** Appends to {@code file}. */
  public MetricsLog(Path file) {
    lines = new JsonLines(file);
  }

  /** Goes on where the training does: what came after its checkpoint is done, and told, again. */
  @Override
  public void started(TrainingPlan plan) {
    lines.endTornLine();
    lines.cutFrom(line -> line.path("step").asLong(0) > plan.firstStep());
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("kind", "start");
    line.put("step", plan.firstStep());
    line.put("device", plan.device());
    line.put("parameters", plan.parameters());
    line.put("training_examples", plan.trainingExamples());
    line.put("validation_examples", plan.validationExamples());
    lines.append(line);
  }

  @Override
  public void progressed(TrainingProgress progress) {
    if (System.nanoTime() < nextStep) {
      return;
    }
    nextStep = System.nanoTime() + STEP_NANOS;
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("kind", "step");
    line.put("step", progress.step());
    line.put("epoch", progress.epoch());
    line.put("rate", progress.rate());
    putFigures(line, progress.figures());
    line.put("images_per_second", progress.examplesPerSecond());
    lines.append(line);
  }

  @Override
  public void epochEnded(EpochReport report) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("kind", "epoch");
    line.put("epoch", report.epoch());
    line.put("step", report.step());
    line.put("rate", report.rate());
    line.put("training", figures(report.training()));
    if (report.validation() != null) {
      Map<String, Object> validation = figures(report.validation());
      putIfNumber(validation, "top5", report.validation().top5());
      line.put("validation", validation);
    }
    line.put("best", report.best());
    line.put("seconds", report.seconds());
    line.put("images_per_second", report.examplesPerSecond());
    lines.append(line);
  }

  /** Something that is wrong with the net. */
  public void found(Diagnosis.Finding finding) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("kind", "finding");
    line.put("epoch", finding.epoch());
    line.put("step", finding.step());
    line.put("about", finding.about());
    line.put("finding", finding.words());
    lines.append(line);
  }

  /** The figures of the test set, with the confusion matrix. */
  public void tested(Evaluation test) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("kind", "test");
    putFigures(line, test);
    putIfNumber(line, "top5", test.top5());
    line.put("confusion", test.confusion());
    lines.append(line);
  }

  private static Map<String, Object> figures(Evaluation figures) {
    Map<String, Object> map = new LinkedHashMap<>();
    putFigures(map, figures);
    return map;
  }

  private static void putFigures(Map<String, Object> line, Evaluation figures) {
    line.put("loss", figures.loss());
    putIfNumber(line, "accuracy", figures.accuracy());
  }

  private static void putIfNumber(Map<String, Object> line, String key, double value) {
    if (!Double.isNaN(value)) {
      line.put(key, value);
    }
  }
}
