package dev.lamina.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.io.NumberedFolder;
import dev.lamina.io.Safetensors;
import dev.lamina.train.run.RunFolder;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Uses the command line as a user would, mistakes included. */
class MainTest {
  private static final int SIDE = 6;

  @TempDir Path folder;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private Path data;

  @BeforeEach
  void writeData() throws IOException {
    data = Stripes.write(folder.resolve("stripes"));
  }

  private int run(String... args) {
    out.reset();
    err.reset();
    Console console =
        new Console(
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            false);
    return Main.run(console, args);
  }

  private List<String> outLines() {
    return out.toString(StandardCharsets.UTF_8).lines().toList();
  }

  /** Runs what must fail with code 2 and one line on the error stream; that line. */
  private String complaint(String... args) {
    int code = run(args);
    List<String> lines = err.toString(StandardCharsets.UTF_8).lines().toList();
    assertEquals(1, lines.size(), "one line, got " + lines);
    assertEquals(Main.BAD_INPUT, code, lines.getFirst());
    assertTrue(lines.getFirst().startsWith("lamina: "), lines.getFirst());
    return lines.getFirst();
  }

  private void assertComplaint(String expected, String... args) {
    String complaint = complaint(args);
    assertTrue(complaint.contains(expected), complaint);
  }

  private Path recipe(String text) throws IOException {
    return Files.writeString(folder.resolve("recipe.yaml"), text);
  }

  /** A small training; the folder of its run. */
  private Path trained() throws IOException {
    Path run = folder.resolve("run");
    Path recipe =
        recipe(
            """
            data: %s
            model: [flatten, {dense: 8}, relu, {dense: 3}]
            device: reference
            batch: 20
            epochs: 4
            lr: 0.02
            validation: 0.1
            """
                .formatted(data));
    assertEquals(Main.OK, run("train", recipe.toString(), "--out", run.toString(), "--json"), err::toString);
    return run;
  }

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
    assertTrue(ImageIO.read(run.resolve("histograms.png").toFile()).getWidth() >= 600);
  }

  @Test
  void modelsOnTheWayAreKeptAndJudgedTogether() throws IOException {
    Path run = folder.resolve("kept");
    String text = "\nmodel: [flatten, {dense: 3}]\ndevice: reference\nepochs: 4\nbatch: 20\nkeep_every: 2";
    String recipe = recipe("data: " + data + text).toString();
    assertEquals(Main.OK, run("train", recipe, "--out", run.toString()), err::toString);
    assertFalse(Files.exists(run.resolve("epoch-001.safetensors")));
    String second = run.resolve("epoch-002.safetensors").toString();
    String fourth = run.resolve("epoch-004.safetensors").toString();
    assertEquals(Main.OK, run("eval", "--ensemble", second, fourth, run.toString()), err::toString);
    assertTrue(outLines().stream().anyMatch(line -> line.startsWith("mean accuracy of the 3 members")), out::toString);
    assertComplaint("--ensemble", "eval", second, fourth);
    assertComplaint("name more than", "eval", "--ensemble", second);
    assertComplaint("keep every: expected 0 or more epochs, got -1", "train", recipe, "--keep-every", "-1");
  }

  @Test
  void aRunWithoutItsLastStateIsNotBegunAnewOverItsModel() throws IOException {
    Path run = trained();
    byte[] model = Files.readAllBytes(run.resolve("model.safetensors"));
    Files.delete(run.resolve("last.safetensors"));
    assertComplaint("no last.safetensors to go on from", "train", "--resume", run.toString(), "--epochs", "5");
    assertArrayEquals(model, Files.readAllBytes(run.resolve("model.safetensors")));
  }

  @Test
  void nobodyLooksInsideAModelUnlessWanted() throws IOException {
    Path run = folder.resolve("unseen");
    String recipe =
        recipe("data: %s\nmodel: [flatten, {dense: 3}]\ndevice: reference\nepochs: 1\nbatch: 20".formatted(data))
            .toString();
    assertEquals(Main.OK, run("train", recipe, "--out", run.toString(), "--statistics-every", "0"), err::toString);
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
  void aTrainedModelIsJudgedAndUsed() throws IOException {
    Path run = trained();
    assertEquals(Main.OK, run("eval", run.toString()));
    assertTrue(outLines().getFirst().contains("30 examples"), outLines().getFirst());
    assertEquals(Main.OK, run("eval", run.resolve("model.safetensors").toString(), "--json"));
    assertEquals(1.0, new JsonMapper().readTree(outLines().getLast()).get("accuracy").asDouble());

    // Of another size and in colour: a bright stripe in the last third.
    BufferedImage image = new BufferedImage(30, 60, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 30 * 20; i++) {
      image.setRGB(i % 30, 40 + i / 30, 0xf0f0f0);
    }
    Path picture = folder.resolve("picture.png");
    ImageIO.write(image, "png", picture.toFile());
    assertEquals(Main.OK, run("predict", run.toString(), picture.toString(), picture.toString()));
    assertEquals(2, outLines().size());
    assertTrue(outLines().getFirst().startsWith(picture + ": 2 "), outLines().getFirst());
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
  void aFinishedRunCanBeGivenMoreEpochsButNotAnotherSeed() throws IOException {
    Path run = trained();
    assertComplaint("--seed cannot be given with --resume", "train", "--resume", run.toString(), "--seed", "3");
    assertEquals(Main.OK, run("train", "--resume", run.toString(), "--epochs", "6", "--json"), err::toString);
    assertEquals(6, new JsonMapper().readTree(outLines().getLast()).get("epochs").asInt());
  }

  @Test
  void aRunThatEndedBeforeItsFirstCheckpointBeginsAgain() throws IOException {
    Path run = trained();
    byte[] model = Files.readAllBytes(run.resolve("model.safetensors"));
    Files.delete(run.resolve("last.safetensors"));
    assertComplaint("last.safetensors", "train", "--resume", run.toString());
    Files.delete(run.resolve("model.safetensors"));
    assertEquals(Main.OK, run("train", "--resume", run.toString()), err::toString);
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
    assertEquals(Main.OK, run("train", "--resume", run.toString()), err::toString);
    assertFalse(Files.exists(run.resolve(".lock")));
  }

  @Test
  void aLineOfMetricsThatWasCutShortCostsNothing() throws IOException {
    Path run = trained();
    Path metrics = run.resolve("metrics.jsonl");
    List<String> before = Files.readAllLines(metrics);
    String whole = Files.readString(metrics);
    Files.writeString(metrics, whole.substring(0, whole.length() - 20));
    assertEquals(Main.OK, run("train", "--resume", run.toString(), "--epochs", "5", "--json"), err::toString);
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
    assertEquals(Main.OK, run("train", "--resume", run.toString(), "--json"), err::toString);
    assertTrue(
        outLines().stream().anyMatch(line -> line.startsWith("there was nothing left to train")),
        outLines().toString());
    assertEquals(1.0, new JsonMapper().readTree(outLines().getLast()).get("test_accuracy").asDouble());
    assertEquals(-1, java.util.Arrays.mismatch(model, Files.readAllBytes(run.resolve("model.safetensors"))));
  }

  @Test
  void twoClassesAreToldApartByOneLogit() throws IOException {
    for (String part : List.of("train", "t10k")) {
      Path labels = data.resolve(part + "-labels-idx1-ubyte");
      byte[] bytes = Files.readAllBytes(labels);
      for (int i = 8; i < bytes.length; i++) {
        bytes[i] = (byte) Math.min(bytes[i], 1);
      }
      Files.write(labels, bytes);
    }
    Files.writeString(data.resolve("classes.txt"), "first\nother\n");
    String recipe =
        """
        data: %s
        model: [flatten, {dense: 8}, relu, {dense: 1}]
        loss: binary_cross_entropy
        device: reference
        batch: 20
        epochs: 4
        lr: 0.02
        """;
    Path run = folder.resolve("run");
    String file = recipe(recipe.formatted(data)).toString();
    assertEquals(Main.OK, run("train", file, "--out", run.toString(), "--json"), err::toString);
    assertEquals(1.0, new JsonMapper().readTree(outLines().getLast()).get("test_accuracy").asDouble());
    assertEquals(Main.OK, run("eval", run.toString(), "--json"), err::toString);
    assertEquals(1.0, new JsonMapper().readTree(outLines().getLast()).get("accuracy").asDouble());
    Path picture = folder.resolve("picture.png");
    BufferedImage image = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_BYTE_GRAY);
    for (int i = 0; i < 2 * SIDE; i++) {
      image.getRaster().setSample(i % SIDE, i / SIDE, 0, 240);
    }
    ImageIO.write(image, "png", picture.toFile());
    assertEquals(Main.OK, run("predict", run.toString(), picture.toString()));
    assertTrue(outLines().getFirst().matches(".*: first \\d+\\.\\d %, other \\d+\\.\\d %"), outLines().getFirst());

    Path two = recipe(recipe.replace("{dense: 1}", "{dense: 2}").formatted(data));
    assertComplaint("a binary loss takes one logit", "train", two.toString(), "--out", folder.resolve("x").toString());
    Stripes.write(data, "train", 120);
    Files.delete(data.resolve("classes.txt"));
    Path three = recipe(recipe.formatted(data));
    assertComplaint("has 3 classes, a binary loss tells 2 apart", "train", three.toString());
  }

  @Test
  void sizesThatCannotBeCountedAreRefused() throws IOException {
    for (String layers : List.of("{dense: 2147483647}", "{maxout: {units: 2, pieces: 2000000000}}")) {
      Path recipe = recipe("data: %s\nmodel: [flatten, %s]\nbatch: 20\ndevice: reference\n".formatted(data, layers));
      assertComplaint("make layers or the batch smaller", "summary", recipe.toString());
    }
  }

  @Test
  void mistypedWordsGetTheNearestOne() throws IOException {
    assertComplaint("there is no option '--eopchs'; did you mean '--epochs'?", "train", "--eopchs", "3");
    assertComplaint("there is no command 'trian'; did you mean 'train'?", "trian");
    assertComplaint("--optimizer: there is no optimizer 'adm'; did you mean 'adam'?", "train", "--optimizer", "adm");
    assertComplaint("--model: there is no model 'lennet'; did you mean 'lenet'?", "train", "--model", "lennet");
    assertComplaint(
        "--preprocessing: there is no preprocessing 'whitten'; did you mean 'whiten'?",
        "train",
        "--preprocessing",
        "whitten");
    assertComplaint("there is no device 'cup'; did you mean 'cpu'?", "train", "--device", "cup");
    Path recipe = recipe("epochs: 3\nbacth: 32\n");
    assertComplaint(recipe + ":2: bacth: there is no such key; did you mean 'batch'?", "train", recipe.toString());
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

  @ParameterizedTest
  @ValueSource(strings = {"train", "summary", "profile"})
  void limitsOfMemoryThatAreNoneAreRefused(String command) {
    assertComplaint("--memory-limit: expected a size like 8GiB, 512MiB or 80%", command, "--memory-limit", "8");
    assertComplaint("--memory-limit: expected a size like", command, "--memory-limit", "-1GiB");
    assertComplaint("--memory-limit: expected a size like", command, "--memory-limit=");
    assertComplaint("--memory-limit: a limit of memory is more than nothing", command, "--memory-limit", "0GiB");
    assertComplaint("--memory-limit: a share of memory is above 0%", command, "--memory-limit", "101%");
    assertComplaint(
        "there is no option '--memory-limt'; did you mean '--memory-limit'?", command, "--memory-limt", "1");
  }

  @Test
  void whatCouldBeTrainedWithLittleMemoryCanBeUsedWithIt() throws IOException {
    Path run = folder.resolve("small");
    Path recipe =
        recipe(
            "{data: %s, model: [{conv2d: {filters: 40, kernel: 3, padding: same}}, relu, flatten, {dense: 3}]}"
                .formatted(data));
    String limit = "600KiB";
    List<String> train =
        List.of("train", recipe.toString(), "--epochs", "1", "--device", "cpu", "--memory-limit", limit);
    assertComplaint("batch 64 needs ", train.toArray(String[]::new));
    List<String> smaller = new ArrayList<>(train);
    smaller.addAll(List.of("--batch", "4", "--out", run.toString()));
    assertEquals(Main.OK, run(smaller.toArray(String[]::new)), err::toString);
    assertEquals(Main.OK, run("eval", run.toString(), "--memory-limit", limit), err::toString);
    assertComplaint("batch 1 needs", "eval", run.toString(), "--memory-limit", "1KiB");
    List<String> profile =
        List.of("profile", recipe.toString(), "--steps", "1", "--device", "cpu", "--memory-limit", "24MiB");
    assertEquals(Main.OK, run(profile.toArray(String[]::new)), err::toString);
  }

  @Test
  void determinismIsKeptInTheRecipeAndByAResume() throws IOException {
    Path run = trained();
    assertTrue(Files.readString(run.resolve("recipe.yaml")).contains("deterministic: false"));
    assertEquals(Main.OK, run("train", "--resume", run.toString(), "--epochs", "5", "--deterministic"), err::toString);
    assertTrue(Files.readString(run.resolve("recipe.yaml")).contains("deterministic: true"));
    assertEquals(Main.OK, run("train", "--resume", run.toString(), "--epochs", "6"), err::toString);
    assertTrue(Files.readString(run.resolve("recipe.yaml")).contains("deterministic: true"));
    assertEquals(Main.OK, run("eval", run.toString(), "--deterministic"), err::toString);
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

  @Test
  void filesThatAreNoModelAreRefused() throws IOException {
    Path file = Files.writeString(folder.resolve("note.txt"), "not a model");
    assertComplaint("there is no file or run", "eval", folder.resolve("none").toString());
    assertComplaint("is no run: there is no recipe.yaml in it", "eval", data.toString());
    assertComplaint(file.toString(), "eval", file.toString());
    assertComplaint("is no run", "train", "--resume", data.toString());
    Path empty = folder.resolve("empty.safetensors");
    Safetensors.write(empty, new LinkedHashMap<>(), Map.of("lamina.model", "{}"));
    assertComplaint(
        "the description of the model cannot be read (dtype, shape or classes are missing)", "eval", empty.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"train", "eval", "predict", "devices", "summary", "profile"})
  void everyCommandExplainsItself(String command) {
    assertEquals(Main.OK, run(command, "--help"));
    assertTrue(outLines().getFirst().startsWith("Usage: lamina " + command), outLines().getFirst());
    assertTrue(outLines().stream().allMatch(line -> line.length() <= 80));
  }

  @Test
  void devicesAreListed() {
    assertEquals(Main.OK, run("devices"));
    assertTrue(outLines().stream().anyMatch(line -> line.matches("cpu +available .*")), outLines().toString());
    assertTrue(outLines().stream().anyMatch(line -> line.matches("reference +available .*")), outLines().toString());
  }

  @Test
  void aSummaryShowsLayersParametersAndMemory() {
    assertEquals(Main.OK, run("summary", "lenet", "--device", "reference", "--batch", "8"));
    assertTrue(
        outLines().stream().anyMatch(line -> line.startsWith("all") && line.contains("61,706")), outLines().toString());
    assertTrue(
        outLines().getLast().startsWith("a training step with batch 8 on reference takes "), outLines().getLast());
  }

  @Test
  void aProfileShowsEachOperation() throws IOException {
    Path recipe = recipe("data: %s\nmodel: [flatten, {dense: 3}]\nbatch: 20\ndevice: cpu\n".formatted(data));
    assertEquals(Main.OK, run("profile", recipe.toString(), "--steps", "2"), err::toString);
    assertTrue(outLines().stream().anyMatch(line -> line.contains("GFLOP/s")), outLines().toString());
    assertTrue(
        outLines().stream().anyMatch(line -> line.contains("matmul") && line.contains("dense1")),
        outLines().toString());
  }
}
