package dev.lamina.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.train.pretrain.PretrainingState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code pretrain}, and {@code train --from}, as a user meets them. */
class PretrainCommandTest extends CommandFixture {
  private static final String DEEP = "[flatten, {dense: 12}, sigmoid, {dense: 8}, sigmoid, {dense: 3}]";

  private String recipe(String model, String more) throws IOException {
    String all =
        "data: %s\nmodel: %s\ndevice: reference\nbatch: 20\nvalidation: 0.1\nepochs: 8\nlr: 0.02\n%s"
            .formatted(data, model, more);
    return Files.writeString(folder.resolve("recipe.yaml"), all).toString();
  }

  @Test
  void whatWasPreTrainedIsFineTunedWithTheCommandThatIsShown() throws IOException {
    Path pre = folder.resolve("pre");
    String recipe = recipe(DEEP, "");
    int code = run("pretrain", recipe, "--epochs", "4", "--cd", "2", "--out", pre.toString(), "--json");
    assertEquals(Main.OK, code, this::complaint);
    JsonNode result = new JsonMapper().readTree(outLines().getLast());
    assertEquals(
        List.of("dense1", "dense2"), result.get("layers").valueStream().map(l -> l.get("layer").asString()).toList());
    List<String> tables = outLines().stream().filter(line -> line.startsWith("layer ")).toList();
    assertEquals(2, tables.size());
    assertTrue(tables.getFirst().startsWith("layer 1 of 2, dense1: 36 binary visible and 12 hidden units; CD-2"));
    assertEquals(8, outLines().stream().filter(line -> line.matches(" +[1-4]/4 +[0-9.]+ .*")).count());
    List<JsonNode> epochs =
        Files.readAllLines(pre.resolve("metrics.jsonl")).stream().map(line -> new JsonMapper().readTree(line)).toList();
    assertEquals(8, epochs.size());
    assertTrue(
        epochs.get(3).get("reconstruction_error").asDouble() < epochs.get(0).get("reconstruction_error").asDouble());
    assertTrue(epochs.get(7).has("free_energy_gap"));

    String command =
        outLines().stream().filter(line -> line.startsWith("fine-tune with: lamina ")).findFirst().orElseThrow();
    String[] words = command.replace("fine-tune with: lamina ", "").split(" ");
    assertEquals(List.of("train", pre.resolve("recipe.yaml").toString(), "--from", pre.toString()), List.of(words));
    Path fine = folder.resolve("fine");
    assertEquals(Main.OK, run(words[0], words[1], words[2], words[3], "--out", fine.toString()), this::complaint);
    assertTrue(Files.readString(fine.resolve("recipe.yaml")).contains("from: " + pre), "a recipe reproduces a run");
    assertTrue(outLines().stream().anyMatch(line -> line.startsWith("test ")), this::said);
    assertEquals(Main.OK, run("eval", fine.toString()), this::complaint);
    assertComplaint("is a pre-training; fine-tune with: lamina train", "train", "--resume", pre.toString());
  }

  @Test
  void aPreTrainingGoesOnWithTheSameBits() throws IOException {
    Path whole = folder.resolve("whole");
    Path part = folder.resolve("part");
    String recipe = recipe(DEEP, "");
    assertEquals(Main.OK, run("pretrain", recipe, "--epochs", "2", "--out", whole.toString()), this::complaint);
    String one = "1";
    assertEquals(
        Main.OK, run("pretrain", recipe, "--epochs", "2", "--layers", one, "--out", part.toString()), this::complaint);
    assertTrue(outLines().stream().anyMatch(line -> line.startsWith("1 of 2 hidden layers")), this::said);
    // As it would stand there had a second layer been interrupted.
    PretrainingState state = PretrainingState.read(part.resolve("pretraining.json"));
    new PretrainingState(state.options(), 2, 1).write(part.resolve("pretraining.json"));
    Path metrics = part.resolve("metrics.jsonl");
    String begun =
        "{\"kind\":\"pretraining\",\"layer\":\"dense2\",\"epoch\":1,\"reconstruction_error\":9}\n{\"kind\":\"pre";
    Files.writeString(metrics, begun, StandardOpenOption.APPEND);
    assertEquals(Main.OK, run("pretrain", "--resume", part.toString()), this::complaint);
    assertEquals(epochs(whole.resolve("metrics.jsonl")), epochs(metrics));
    assertEquals(1, outLines().stream().filter(line -> line.startsWith("layer 2 of 2")).count());
    assertArrayEquals(
        Files.readAllBytes(whole.resolve("model.safetensors")), Files.readAllBytes(part.resolve("model.safetensors")));

    assertEquals(Main.OK, run("pretrain", "--resume", part.toString()), this::complaint);
    assertFalse(outLines().stream().anyMatch(line -> line.startsWith("layer ")), "there is nothing left to do");
    assertComplaint("only --device and --threads", "pretrain", "--resume", part.toString(), "--cd", "3");
    assertComplaint("is no run", "pretrain", "--resume", data.toString());
    Files.delete(part.resolve("pretraining.json"));
    assertComplaint("no pre-training in", "pretrain", "--resume", part.toString());
  }

  /** Layer, epoch and error of each line. */
  private static List<List<String>> epochs(Path metrics) throws IOException {
    return Files.readAllLines(metrics).stream()
        .map(line -> new JsonMapper().readTree(line))
        .map(line -> Stream.of("layer", "epoch", "reconstruction_error").map(key -> line.get(key).toString()).toList())
        .toList();
  }

  @Test
  void gaussianUnitsComeWithZScores() throws IOException {
    Path pre = folder.resolve("gaussian");
    String recipe = recipe(DEEP, "preprocessing: {z_score: {per: pixel}}\n");
    Files.writeString(Path.of(recipe), Files.readString(Path.of(recipe)).replace("validation: 0.1", "validation: 0"));
    int code = run("pretrain", recipe, "--epochs", "2", "--gaussian-lr", "0.01", "--out", pre.toString());
    assertEquals(Main.OK, code, this::complaint);
    assertTrue(outLines().stream().anyMatch(l -> l.contains("36 Gaussian visible and 12 hidden units")), this::said);
    assertTrue(outLines().stream().anyMatch(l -> l.contains("12 binary visible and 8 hidden units")), this::said);
    assertTrue(outLines().stream().anyMatch(l -> l.matches(" +2/2 .* - +- +- .*")), "nothing is held out");
    assertFalse(said().contains("variance far from"), this::said);
  }

  @Test
  void gaussianUnitsOfAnotherVarianceAreToldOf() throws IOException {
    String recipe = recipe(DEEP, "preprocessing: {whiten: {kind: zca, epsilon: 100}}\n");
    String out = folder.resolve("faint").toString();
    assertEquals(Main.OK, run("pretrain", recipe, "--epochs", "1", "--out", out), this::complaint);
    List<String> told = outLines().stream().filter(line -> line.contains("variance far from the 1")).toList();
    assertEquals(1, told.size(), this::said);
    assertTrue(told.getFirst().startsWith("36 of 36 Gaussian visible units"), told::toString);
    assertTrue(told.getFirst().contains("preprocessing: {z_score: pixel}"), told::toString);
  }

  @Test
  void whatDoesNotFitIsRefusedWithABatchThatDoes() throws IOException {
    String wide = recipe("[flatten, {dense: 4}, sigmoid, {dense: 3000}, sigmoid, {dense: 3}]", "");
    Path run = folder.resolve("run");
    List<String> command =
        List.of(
            "pretrain", wide, "--epochs", "1", "--device", "cpu", "--memory-limit", "1200KiB", "--out", run.toString());
    assertComplaint("batch 100 needs ", with(command, "--batch", "100"));
    assertFalse(Files.exists(run), "the second layer is refused before the first one learns");
    String fits = complaint().replaceAll(".*; batch (\\d+) fits$", "$1");
    assertEquals(Main.OK, run(with(command, "--batch", fits)), this::complaint);
  }

  private static String[] with(List<String> command, String... more) {
    return Stream.concat(command.stream(), Stream.of(more)).toArray(String[]::new);
  }

  @Test
  void mistakesAreAnsweredInOneLineAndLeaveNothing() throws IOException {
    String deep = recipe(DEEP, "");
    Path run = folder.resolve("run");
    String to = run.toString();
    assertComplaint("name the recipe", "pretrain");
    assertComplaint("--layers: expected 1", "pretrain", deep, "--layers", "0", "--out", to);
    assertComplaint("the recipe has 2 hidden layers, got 3", "pretrain", deep, "--layers", "3", "--out", to);
    assertComplaint("1 step or more", "pretrain", deep, "--cd", "0", "--out", to);
    assertComplaint("epochs: expected 1", "pretrain", deep, "--epochs", "0", "--out", to);
    assertComplaint("learning rate is a number above 0", "pretrain", deep, "--lr", "-1", "--out", to);
    assertComplaint("momentum is at least 0", "pretrain", deep, "--momentum", "1", "--out", to);
    assertComplaint("'--epoch'; did you mean '--epochs'?", "pretrain", deep, "--epoch", "3");
    assertComplaint(
        "relu1 behind dense1", "pretrain", recipe("[flatten, {dense: 3}, relu, {dense: 3}]", ""), "--out", to);
    assertComplaint("conv2d1 is of kind conv2d", "pretrain", recipe("small-cnn", ""), "--out", to);
    assertComplaint(
        "preprocessing mean gives inputs neither", "pretrain", recipe(DEEP, "preprocessing: mean\n"), "--out", to);
    assertComplaint("take inputs from 0 to 1", "pretrain", recipe(DEEP, "preprocessing: none\n"), "--out", to);
    assertFalse(Files.exists(run.resolve("recipe.yaml")));
  }

  @Test
  void aTrainingBeginsOnlyWithWeightsThatFit() throws IOException {
    Path pre = folder.resolve("pre");
    assertEquals(Main.OK, run("pretrain", recipe(DEEP, ""), "--epochs", "1", "--out", pre.toString()), this::complaint);
    String from = pre.toString();
    String to = folder.resolve("fine").toString();
    assertComplaint("there is no model to begin with", "train", recipe(DEEP, ""), "--from", "nowhere", "--out", to);
    assertComplaint(
        "dense1.weight is F32[13,36] in this model, and F32[12,36] in the saved one",
        "train",
        recipe(DEEP.replace("12", "13"), ""),
        "--from",
        from,
        "--out",
        to);
    assertComplaint(
        "has no dense4.weight",
        "train",
        recipe(DEEP.replace("{dense: 3}", "{dense: 3}, {dense: 3}"), ""),
        "--from",
        from,
        "--out",
        to);
    assertComplaint(
        "learned with preprocessing min_max by [1], this training has mean by [1]",
        "train",
        recipe(DEEP, "preprocessing: mean\n"),
        "--from",
        from,
        "--out",
        to);
    assertComplaint("--from cannot be given with --resume", "train", "--resume", from, "--from", from);
    // Without a word about it, inputs are prepared as the weights want them.
    assertEquals(Main.OK, run("train", recipe(DEEP, ""), "--from", from, "--out", to), this::complaint);
    List<String> first = rates(to);
    List<String> fresh = rates(recipe(DEEP, "preprocessing: min_max\n"));
    assertEquals(first.size(), fresh.size());
    assertNotEquals(first.getFirst(), fresh.getFirst(), "a range test begins with the same weights as the training");
  }

  private List<String> rates(String subject) {
    run("find-lr", subject, "--steps", "10", "--out", folder.resolve("rates.png").toString());
    return outLines().stream().filter(line -> line.matches(" +[0-9.]+e-\\d+ .*")).toList();
  }
}
