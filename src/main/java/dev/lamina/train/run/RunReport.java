package dev.lamina.train.run;

import dev.lamina.io.AtomicFile;
import dev.lamina.io.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/**
 * What a run did, for people: a page of Markdown. It is made of the run's files alone, so that it tells of the whole
 * run however often that was continued.
 */
public final class RunReport {
  private final RunFolder run;
  private final StringBuilder text = new StringBuilder();

  private JsonNode plan; // null if it was written by an older version
  private JsonNode test; // null if the run was interrupted
  private final Set<String> devices = new LinkedHashSet<>();
  private final Map<Integer, JsonNode> epochs = new LinkedHashMap<>();
  private final Map<String, JsonNode> findings = new LinkedHashMap<>();

  private RunReport(RunFolder run) {
    this.run = run;
    new JsonLines(run.metrics()).read(this::take);
  }

  private void take(JsonNode line) {
    switch (line.path("kind").asString("")) {
      case "start" -> {
        plan = line;
        test = null; // it was of an earlier end
        devices.add(line.path("device").asString(""));
      }
      case "epoch" -> epochs.put(line.path("epoch").asInt(), line);
      // A training that goes on finds again what it does not know to have been told.
      case "finding" -> findings.putIfAbsent(line.path("about").asString(""), line);
      case "test" -> test = line;
      default -> {}
    }
  }

  /**
   * Writes {@link RunFolder#report}.
   *
   * @param title what was trained on what
   */
  public static void write(RunFolder run, String title) {
    RunReport report = new RunReport(run);
    AtomicFile.writeText(run.report(), report.text(title));
  }

  private String text(String title) {
    add("# %s%n", title);
    if (plan != null) {
      add(
          "%,d parameters, trained on %,d examples with %,d held out for validation; device: %s.%n",
          plan.path("parameters").asLong(),
          plan.path("training_examples").asLong(),
          plan.path("validation_examples").asLong(),
          String.join(", then ", devices));
    }
    outcome();
    findings();
    table();
    figure(run.plot(), "Loss and accuracy by epoch");
    figure(run.layersPlot(), "What was seen inside, by layer");
    figure(run.histograms(), "Outputs of each layer and their gradients, as they were last");
    add("## Recipe%n%n```yaml%n%s```%n", recipe());
    return text.toString();
  }

  private void add(String line, Object... values) {
    text.append(String.format(Locale.ROOT, line.replace("%n", "\n"), values)).append('\n');
  }

  private void outcome() {
    epochs.values().stream()
        .filter(line -> line.path("best").asBoolean(false))
        .reduce((_, later) -> later)
        .ifPresent(line ->
            add(
                "Best epoch: %d, by %s.%n",
                line.path("epoch").asInt(),
                line.has("validation")
                    ? "validation: " + words(line.path("validation"))
                    : "training: " + words(line.path("training"))));
    if (test == null) {
      add("It has not come to its end; continue it with `lamina train --resume %s`.%n", run.path());
    } else {
      add("On the test set, with the weights of the best epoch: %s.%n", words(test));
    }
  }

  private static String words(JsonNode figures) {
    String loss = String.format(Locale.ROOT, "loss %.4f", figures.path("loss").asDouble(Double.NaN));
    return figures.has("accuracy") ? loss + ", accuracy " + percent(figures) + " %" : loss;
  }

  private static String percent(JsonNode figures) {
    return String.format(Locale.ROOT, "%.2f", 100 * figures.path("accuracy").asDouble());
  }

  private void findings() {
    add("## Findings%n");
    findings
        .values()
        .forEach(line -> add("- epoch %d: %s", line.path("epoch").asInt(), line.path("finding").asString("")));
    if (findings.isEmpty()) {
      add(Files.exists(run.layers()) ? "None." : "Nobody looked inside the model.");
    }
    add("");
  }

  private void table() {
    List<JsonNode> lines = List.copyOf(epochs.values());
    if (lines.isEmpty()) {
      return;
    }
    boolean isJudged = lines.getFirst().has("validation");
    boolean hasAccuracy = lines.getFirst().path("training").has("accuracy");
    String each = hasAccuracy ? " %s loss | %<s accuracy, %% |" : " %s loss |";
    String head = "| epoch | last rate |" + each.formatted("training") + (isJudged ? each.formatted("validation") : "");
    add("## Epochs%n%n%s images/s |%n%s", head, "|---:".repeat((int) head.chars().filter(c -> c == '|').count()) + "|");
    for (JsonNode line : lines) {
      add(
          "| %d | %.3g |%s%s %,.0f |",
          line.path("epoch").asInt(),
          line.path("rate").asDouble(Double.NaN),
          cells(line.path("training"), hasAccuracy),
          isJudged ? cells(line.path("validation"), hasAccuracy) : "",
          line.path("images_per_second").asDouble(Double.NaN));
    }
    add("");
  }

  private static String cells(JsonNode figures, boolean hasAccuracy) {
    String loss = String.format(Locale.ROOT, " %.4f |", figures.path("loss").asDouble(Double.NaN));
    return hasAccuracy ? loss + " " + percent(figures) + " |" : loss;
  }

  private void figure(Path file, String title) {
    if (Files.exists(file)) {
      add("![%s](%s)%n", title, file.getFileName());
    }
  }

  private String recipe() {
    try {
      return Files.readString(run.recipe());
    } catch (IOException e) {
      throw BadInputException.access("read", run.recipe(), e);
    }
  }
}
