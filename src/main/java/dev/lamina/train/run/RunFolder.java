package dev.lamina.train.run;

import dev.lamina.io.AtomicFile;
import dev.lamina.io.BadInputException;
import dev.lamina.io.NumberedFolder;
import dev.lamina.train.Checkpoints;
import dev.lamina.train.ModelStatistics;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/**
 * A folder in which one training leaves everything: {@code recipe.yaml}, {@code metrics.jsonl}, {@code plot.png},
 * {@code report.md}, and the models of {@link Checkpoints}.
 *
 * @param path of the folder
 */
public record RunFolder(Path path) {
  private static final Path RUNS = Path.of("runs");

  /** The point of one epoch in the plot. */
  public record Point(
      int epoch, double trainingLoss, double trainingAccuracy, double validationLoss, double validationAccuracy) {}

  /**
   * A new folder that can be written.
   *
   * @param wanted by the user; null for {@code runs/<date>-<model>-<n>}
   * @throws BadInputException if it holds a run already, or cannot be written
   */
  public static RunFolder create(String wanted, String model) {
    RunFolder run = new RunFolder(wanted == null ? NumberedFolder.create(RUNS, model) : Path.of(wanted));
    if (Files.exists(run.recipe())) {
      throw new BadInputException(
          run.path + " holds a run already; continue it with --resume " + run.path + ", or choose another folder");
    }
    boolean isNew = wanted == null || !Files.exists(run.path);
    try {
      AtomicFile.requireWritable(run.path, 1 << 20);
    } catch (BadInputException e) {
      if (isNew) {
        run.deleteIfEmpty();
      }
      throw e;
    }
    return run;
  }

  /**
   * Keeps other trainings out of the folder until it is closed, or the process ends in whatever way.
   *
   * @throws BadInputException if another training is in it
   */
  public NumberedFolder.Lock lock() {
    return NumberedFolder.lock(path, "training");
  }

  /**
   * The folder of an earlier run.
   *
   * @throws BadInputException if it is none
   */
  public static RunFolder open(Path path) {
    RunFolder run = new RunFolder(path);
    if (!Files.isRegularFile(run.recipe())) {
      throw new BadInputException(path + " is no run: there is no recipe.yaml in it");
    }
    return run;
  }

  /** Whether the run ended before it had written a model or a checkpoint, so that continuing it is to begin it. */
  public boolean isFresh() {
    return !Files.exists(checkpoints().last()) && !Files.exists(checkpoints().best());
  }

  /** Takes a new folder away again, if nothing was left in it. */
  public void deleteIfEmpty() {
    NumberedFolder.deleteIfEmpty(path);
  }

  /** The recipe, complete. */
  public Path recipe() {
    return path.resolve("recipe.yaml");
  }

  /** One JSON object a line: steps now and then, every epoch, at the end the test. */
  public Path metrics() {
    return path.resolve("metrics.jsonl");
  }

  /** Curves of loss and accuracy. */
  public Path plot() {
    return path.resolve("plot.png");
  }

  /** What was seen inside the model, one JSON object a line for each look. */
  public Path layers() {
    return path.resolve("layers.jsonl");
  }

  /** Its curves. */
  public Path layersPlot() {
    return path.resolve("layers.png");
  }

  /** The outputs and gradients of each layer, as they were last. */
  public Path histograms() {
    return path.resolve("histograms.png");
  }

  /** How far a pre-training is, and how it goes on. */
  public Path pretraining() {
    return path.resolve("pretraining.json");
  }

  /** Where the models go. */
  public Checkpoints checkpoints() {
    return checkpoints(0);
  }

  /** The same; after every so many epochs one more stays. */
  public Checkpoints checkpoints(int keepEvery) {
    return new Checkpoints(path, keepEvery);
  }

  /** What was seen inside the model, by all runs in this folder: of all looks but the last without counts of values. */
  public List<ModelStatistics> looks() {
    return StatisticsLog.read(layers());
  }

  /** What the run did, for people. */
  public Path report() {
    return path.resolve("report.md");
  }

  /**
   * The epochs so far, of all runs in this folder; of an epoch that was done again only the last time. A line that a
   * crash or a full disk has cut short is passed over: it must not cost a trained model.
   */
  public List<Point> points() {
    Map<Integer, Point> points = new LinkedHashMap<>();
    new JsonLines(metrics())
        .read(line -> {
          if (line.path("kind").asString("").equals("epoch")) {
            points.put(line.path("epoch").asInt(), point(line));
          }
        });
    return new ArrayList<>(points.values());
  }

  private static Point point(JsonNode line) {
    JsonNode training = line.path("training");
    JsonNode validation = line.path("validation");
    return new Point(
        line.path("epoch").asInt(),
        training.path("loss").asDouble(Double.NaN),
        training.path("accuracy").asDouble(Double.NaN),
        validation.path("loss").asDouble(Double.NaN),
        validation.path("accuracy").asDouble(Double.NaN));
  }
}
