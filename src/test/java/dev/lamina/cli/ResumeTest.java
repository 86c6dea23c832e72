package dev.lamina.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.io.NumberedFolder;
import dev.lamina.train.ModelStatistics;
import dev.lamina.train.run.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.knowm.xchart.XYChart;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code lamina train --resume}: runs that go on, and folders that are kept from it. */
class ResumeTest extends CommandFixture {
  @Test
  void aRunWithoutItsLastStateIsNotBegunAnewOverItsModel() throws IOException {
    Path run = trained();
    byte[] model = Files.readAllBytes(run.resolve("model.safetensors"));
    Files.delete(run.resolve("last.safetensors"));
    assertComplaint("no last.safetensors to go on from", "train", "--resume", run.toString(), "--epochs", "5");
    assertArrayEquals(model, Files.readAllBytes(run.resolve("model.safetensors")));
  }

  @Test
  void aFinishedRunCanBeGivenMoreEpochsButNotAnotherSeed() throws IOException {
    Path run = trained();
    assertComplaint("--seed cannot be given with --resume", "train", "--resume", run.toString(), "--seed", "3");
    assertEquals(Main.OK, run("train", "--resume", run.toString(), "--epochs", "6", "--json"), this::complaint);
    assertEquals(6, new JsonMapper().readTree(outLines().getLast()).get("epochs").asInt());
  }

  @Test
  void aRunThatEndedBeforeItsFirstCheckpointBeginsAgain() throws IOException {
    Path run = trained();
    byte[] model = Files.readAllBytes(run.resolve("model.safetensors"));
    Files.delete(run.resolve("last.safetensors"));
    assertComplaint("last.safetensors", "train", "--resume", run.toString());
    Files.delete(run.resolve("model.safetensors"));
    assertEquals(Main.OK, run("train", "--resume", run.toString()), this::complaint);
    assertEquals(-1, java.util.Arrays.mismatch(model, Files.readAllBytes(run.resolve("model.safetensors"))));
  }

  @Test
  void twoTrainingsDoNotShareAFolder() throws IOException {
    Path run = trained();
    NumberedFolder.Lock other = RunFolder.open(run).lock();
    assertComplaint("another training is running there", "train", "--resume", run.toString());
    Path empty = Files.createDirectory(folder.resolve("empty"));
    try (var _ = RunFolder.create(empty.toString(), "x").lock()) {
      assertComplaint(
          "another training is running there", "train", "--data", data.toString(), "--out", empty.toString());
    }
    other.close();
    assertEquals(Main.OK, run("train", "--resume", run.toString()), this::complaint);
    assertFalse(Files.exists(run.resolve(".lock")));
  }

  @Test
  void aLineOfMetricsThatWasCutShortCostsNothing() throws IOException {
    Path run = trained();
    Path metrics = run.resolve("metrics.jsonl");
    List<String> before = Files.readAllLines(metrics);
    String whole = Files.readString(metrics);
    Files.writeString(metrics, whole.substring(0, whole.length() - 20));
    assertEquals(Main.OK, run("train", "--resume", run.toString(), "--epochs", "5", "--json"), this::complaint);
    assertEquals(5, new JsonMapper().readTree(outLines().getLast()).get("epochs").asInt());
    List<String> after = Files.readAllLines(metrics);
    assertTrue(after.get(before.size()).endsWith("}"), after.toString());
    JsonNode next = new JsonMapper().readTree(after.get(before.size()));
    assertTrue(next.has("kind"), after.toString());
  }

  @Test
  void aFinishedRunThatIsResumedSaysSo() throws IOException {
    Path run = trained();
    byte[] model = Files.readAllBytes(run.resolve("model.safetensors"));
    assertEquals(Main.OK, run("train", "--resume", run.toString(), "--json"), this::complaint);
    assertTrue(outLines().stream().anyMatch(line -> line.startsWith("there was nothing left to train")), said());
    assertEquals(1.0, new JsonMapper().readTree(outLines().getLast()).get("test_accuracy").asDouble());
    assertEquals(-1, java.util.Arrays.mismatch(model, Files.readAllBytes(run.resolve("model.safetensors"))));
  }

  @Test
  void aRunThatGoesOnIsShownFromItsBeginning() throws IOException {
    Path run = folder.resolve("run");
    String recipe =
        recipe(
                "data: %s\nmodel: [flatten, {dense: 8}, relu, {dense: 3}]\ndevice: reference\nepochs: 2\nbatch: 20"
                    .formatted(data))
            .toString();
    String every = "--statistics-every";
    assertEquals(Main.OK, run("train", recipe, "--out", run.toString(), every, "5"), this::complaint);
    assertEquals(Main.OK, run("train", "--resume", run.toString(), "--epochs", "4", every, "5"), this::complaint);
    List<ModelStatistics> looks = RunFolder.open(run).looks();
    assertEquals(List.of(1L, 6L, 11L, 16L), looks.stream().map(ModelStatistics::step).toList());
    for (XYChart chart : LayersPlot.curves(looks)) {
      double[] updates = chart.getSeriesCollection().iterator().next().getXData();
      assertEquals(1, updates[0], chart.getTitle());
      assertEquals(16, updates[updates.length - 1], chart.getTitle());
    }
    String report = Files.readString(run.resolve("report.md"));
    for (int epoch = 1; epoch <= 4; epoch++) {
      assertTrue(report.contains("\n| " + epoch + " | "), report);
    }
    assertTrue(report.contains("On the test set"), report);
  }

  @Test
  void determinismIsKeptInTheRecipeAndByAResume() throws IOException {
    Path run = trained();
    assertTrue(Files.readString(run.resolve("recipe.yaml")).contains("deterministic: false"));
    assertEquals(
        Main.OK, run("train", "--resume", run.toString(), "--epochs", "5", "--deterministic"), this::complaint);
    assertTrue(Files.readString(run.resolve("recipe.yaml")).contains("deterministic: true"));
    assertEquals(Main.OK, run("train", "--resume", run.toString(), "--epochs", "6"), this::complaint);
    assertTrue(Files.readString(run.resolve("recipe.yaml")).contains("deterministic: true"));
    assertEquals(Main.OK, run("eval", run.toString(), "--deterministic"), this::complaint);
  }
}
