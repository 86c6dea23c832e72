package dev.lamina.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.io.NumberedFolder;
import dev.lamina.train.run.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
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
