package dev.lamina.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code lamina train} as a user meets it: what it leaves behind, and what it refuses. */
class TrainCommandTest extends CommandFixture {
  @Test
  void aTrainingLeavesModelMetricsRecipeAndPlot() throws IOException {
    Path run = trained();
    JsonNode result = new JsonMapper().readTree(outLines().getLast());
    assertEquals(
        List.of("test_accuracy", "train_seconds", "images_per_second", "epochs", "parameters", "device", "seed", "run"),
        List.copyOf(result.propertyNames()));
    assertEquals(1.0, result.get("test_accuracy").asDouble());
    assertEquals(4, result.get("epochs").asInt());
    assertEquals((36 + 1) * 8 + (8 + 1) * 3, result.get("parameters").asInt());
    assertEquals("reference", result.get("device").asString());
    assertEquals(run.toString(), result.get("run").asString());

    List<String> metrics = Files.readAllLines(run.resolve("metrics.jsonl"));
    List<JsonNode> lines = metrics.stream().map(line -> new JsonMapper().readTree(line)).toList();
    assertEquals(4, lines.stream().filter(line -> line.get("kind").asString().equals("epoch")).count());
    assertEquals(1, lines.stream().filter(line -> line.get("kind").asString().equals("test")).count());
    assertTrue(Files.exists(run.resolve("model.safetensors")));
    assertTrue(Files.exists(run.resolve("last.safetensors")));
    BufferedImage plot = ImageIO.read(run.resolve("plot.png").toFile());
    assertTrue(plot.getWidth() >= 600 && plot.getHeight() >= 400, plot.toString());

    List<String> looks = Files.readAllLines(run.resolve("layers.jsonl"));
    JsonNode layers = new JsonMapper().readTree(looks.getFirst()).get("layers");
    assertEquals(
        List.of("dense1", "relu1", "dense2"), layers.valueStream().map(l -> l.get("path").asString()).toList());
    assertTrue(ImageIO.read(run.resolve("layers.png").toFile()).getHeight() >= 400);
    for (JsonNode layer : layers) {
      long counted = layer.get("gradient_histogram").valueStream().mapToLong(JsonNode::asLong).sum();
      assertEquals(layer.get("histogram").valueStream().mapToLong(JsonNode::asLong).sum(), counted);
      assertTrue(layer.get("gradient_low").asDouble() < layer.get("gradient_high").asDouble(), layer.toString());
    }
    assertTrue(ImageIO.read(run.resolve("histograms.png").toFile()).getWidth() >= 600);
  }

  @Test
  void aTrainingLeavesAReport() throws IOException {
    Path run = trained();
    List<String> report = Files.readAllLines(run.resolve("report.md"));
    String all = String.join("\n", report);
    assertEquals("# custom on " + data, report.getFirst());
    assertTrue(
        all.contains("323 parameters, trained on 108 examples with 12 held out for validation; device: reference."),
        all);
    assertTrue(all.contains("Best epoch: ") && all.contains(", by validation: loss 0."), all);
    assertTrue(all.contains("On the test set, with the weights of the best epoch: loss 0."), all);
    assertTrue(all.contains("accuracy 100.00 %"), all);
    assertTrue(all.contains("## Findings\n\nNone."), all);
    assertEquals(4, report.stream().filter(line -> line.matches("\\| \\d+ \\|( [0-9.,e-]+ \\|){6}")).count(), all);
    for (String figure : List.of("plot.png", "layers.png", "histograms.png")) {
      assertTrue(all.contains("](" + figure + ")"), all);
    }
    assertTrue(all.contains("```yaml\n") && all.contains("units: 8"), all);
  }

  @Test
  void findingsAreToldWrittenAndReported() throws IOException {
    Path run = folder.resolve("sick");
    String recipe =
        recipe(
                "data: %s\nmodel: [flatten, {dense: {units: 8, bias: -100}}, relu, {dense: 3}]\ndevice: reference\nepochs: 2\nbatch: 20"
                    .formatted(data))
            .toString();
    assertEquals(Main.OK, run("train", recipe, "--out", run.toString()), this::complaint);
    String words = "relu1: 100 % of its 8 units were zero for every one of the 100 examples of the epoch";
    assertEquals(1, outLines().stream().filter(line -> line.startsWith(words)).count(), said());
    List<JsonNode> findings =
        Files.readAllLines(run.resolve("metrics.jsonl")).stream()
            .map(line -> new JsonMapper().readTree(line))
            .filter(line -> line.has("finding"))
            .toList();
    assertEquals(1, findings.size(), findings.toString());
    assertEquals(1, findings.getFirst().get("epoch").asInt());
    assertTrue(findings.getFirst().get("finding").asString().startsWith(words));
    assertTrue(Files.readString(run.resolve("report.md")).contains("- epoch 1: " + words));
  }

  @Test
  void aTrainingThatDivergesLeavesAReportToo() throws IOException {
    Path run = folder.resolve("diverged");
    String recipe =
        recipe(
                "data: %s\nmodel: [flatten, {dense: 8}, relu, {dense: 3}]\ndevice: reference\nepochs: 3\nbatch: 20\noptimizer: sgd\nlr: 1e30"
                    .formatted(data))
            .toString();
    assertEquals(Main.FAILED, run("train", recipe, "--out", run.toString()), this::complaint);
    String report = Files.readString(run.resolve("report.md"));
    assertTrue(report.contains("- epoch 1: training diverged at step"), report);
  }

  @Test
  void nobodyLooksInsideAModelUnlessWanted() throws IOException {
    Path run = folder.resolve("unseen");
    String recipe =
        recipe("data: %s\nmodel: [flatten, {dense: 3}]\ndevice: reference\nepochs: 1\nbatch: 20".formatted(data))
            .toString();
    assertEquals(Main.OK, run("train", recipe, "--out", run.toString(), "--statistics-every", "0"), this::complaint);
    assertFalse(Files.exists(run.resolve("layers.jsonl")) || Files.exists(run.resolve("layers.png")));
    assertComplaint("statistics every", "train", recipe, "--statistics-every", "-1");
  }

  @Test
  void theRecipeOfARunReproducesItToTheBit() throws IOException {
    Path run = trained();
    Path again = folder.resolve("again");
    assertEquals(Main.OK, run("train", run.resolve("recipe.yaml").toString(), "--out", again.toString()));
    assertEquals(-1, Files.mismatch(run.resolve("model.safetensors"), again.resolve("model.safetensors")));
    assertEquals(-1, Files.mismatch(run.resolve("recipe.yaml"), again.resolve("recipe.yaml")));
  }

  @Test
  void aPrecisionThatTheDeviceLacksIsOneLine() {
    assertComplaint(
        "not in BF16; choose another --device or --precision",
        "train",
        "--data=" + data,
        "--model=mlp",
        "--device=cpu",
        "--precision=bf16",
        "--out=" + folder.resolve("narrow"));
  }

  @Test
  void aRunIsNotOverwritten() throws IOException {
    Path run = trained();
    byte[] model = Files.readAllBytes(run.resolve("model.safetensors"));
    assertComplaint(
        "holds a run already; continue it with --resume " + run,
        "train",
        "--data",
        data.toString(),
        "--out",
        run.toString());
    assertEquals(-1, java.util.Arrays.mismatch(model, Files.readAllBytes(run.resolve("model.safetensors"))));
  }

  @Test
  void valuesOutOfRangeAreRefused() {
    assertComplaint("--epochs: expected a whole number, got 'ten'", "train", "--epochs", "ten");
    assertComplaint("epochs: expected 1 or more, got 0", "train", "--epochs", "0");
    assertComplaint("accumulate: expected 1 or more passes, got 0", "train", "--accumulate", "0");
    assertComplaint("the learning rate is a number above 0", "train", "--lr", "-1");
    assertComplaint("the batch must hold at least 1 example", "train", "--batch", "0");
    assertComplaint("threads: expected 1 to 1024", "train", "--threads", "-2");
    assertComplaint("threads: expected 1 to 1024", "train", "--threads", "100000");
    assertComplaint("--data: expected a value, got nothing", "train", "--data", "");
  }

  @Test
  void dataThatIsMissingOrBrokenIsRefused() throws IOException {
    assertComplaint(
        "there is no data '" + folder.resolve("none") + "'", "train", "--data", folder.resolve("none").toString());
    assertComplaint("there is no data in " + folder, "train", "--data", folder.toString());
    Path labels = data.resolve("t10k-labels-idx1-ubyte");
    byte[] bytes = Files.readAllBytes(labels);
    Files.write(labels, java.util.Arrays.copyOf(bytes, 20));
    assertComplaint(
        "t10k-labels",
        "train",
        "--data",
        data.toString(),
        "--model",
        "mlp",
        "--device",
        "reference",
        "--out",
        folder.resolve("x").toString());
    assertFalse(Files.exists(folder.resolve("x/model.safetensors")), "the broken test set was found before training");
  }

  @Test
  void outputThatCannotBeWrittenIsRefused() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");
    assertComplaint(
        "cannot create the folder " + file,
        "train",
        "--data",
        data.toString(),
        "--out",
        file.resolve("run").toString());
  }

  @Test
  void aBatchLargerThanTheDataIsRefused() {
    assertComplaint(
        "batch 500 is larger than",
        "train",
        "--data",
        data.toString(),
        "--model",
        "mlp",
        "--batch",
        "500",
        "--device",
        "reference",
        "--out",
        folder.resolve("x").toString());
  }

  @Test
  void layersThatDoNotFitAreNamed() throws IOException {
    Path recipe =
        recipe(
            "data: %s\nmodel: [{dense: 3}]\nbatch: 20\ndevice: reference\nout: %s\n"
                .formatted(data, folder.resolve("x")));
    assertComplaint("dense1", "train", recipe.toString());
  }

  @Test
  void layersForImagesAfterComponentsAreOneLine() {
    assertComplaint(
        "preprocessing pca makes vectors of 4 out of inputs [6,6,1]",
        "train",
        "--data",
        data.toString(),
        "--model",
        "small-cnn",
        "--preprocessing",
        "pca: 4",
        "--batch",
        "20",
        "--device",
        "reference",
        "--out",
        folder.resolve("x").toString());
    assertComplaint(
        "pca: 37 components are more than the 36 features",
        "train",
        "--data",
        data.toString(),
        "--preprocessing",
        "pca: 37",
        "--batch",
        "20",
        "--out",
        folder.resolve("x").toString());
  }
}
