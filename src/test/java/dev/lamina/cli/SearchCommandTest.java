package dev.lamina.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Uses {@code lamina search} as a user would, mistakes included. */
class SearchCommandTest extends CommandFixture {
  private Path searchFile() throws IOException {
    String text =
        """
        recipe:
          data: %s
          model: [flatten, {dense: 8}, relu, {dense: 3}]
          batch: 16
          epochs: 3
          validation: 0.2
          device: cpu
          threads: 2
        space:
          lr: {log_uniform: [1e-4, 1e-1]}
          optimizer: {choice: [adam, sgd]}
        trials: 4
        epochs: 1
        """
            .formatted(data);
    return Files.writeString(folder.resolve("search.yaml"), text);
  }

  @Test
  void aRecipeAloneIsNoSearch() throws IOException {
    Path recipe = recipe("model: [flatten, {dense: 3}]\nepochs: 1\n");
    assertComplaint(
        recipe + ": nothing differs between trials; say what with --vary, for example lr=log_uniform:1e-4,1e-1",
        "search",
        recipe.toString());
  }

  @Test
  void aSearchPrintsATableAndLeavesItsTrialsAPlotAndTheCommandThatTrainsTheBest() throws IOException {
    Path place = folder.resolve("place");
    assertEquals(Main.OK, run("search", searchFile().toString(), "--out", place.toString(), "--json"), complaint());
    List<String> lines = outLines();
    assertEquals(
        4, lines.stream().filter(line -> line.matches("val_acc: .*, \\([1-4] / 4\\)")).count(), lines.toString());
    JsonNode result = new JsonMapper().readTree(lines.getLast());
    Path recipe = Path.of(result.required("recipe").asString());
    assertEquals(place.resolve("trial-00" + result.required("trial").asInt()).resolve("recipe.yaml"), recipe);
    assertTrue(
        lines.get(lines.size() - 2).endsWith("train the best in full with: lamina train " + recipe + " --epochs 3"));
    assertTrue(ImageIO.read(place.resolve("parameters.png").toFile()).getWidth() > 500);
    assertEquals(4, Files.readAllLines(place.resolve("trials.jsonl")).size());
    for (String file : List.of("recipe.yaml", "metrics.jsonl", "model.safetensors", "last.safetensors")) {
      assertTrue(Files.exists(place.resolve("trial-004").resolve(file)), file);
    }
    List<String> table = lines.stream().filter(line -> line.startsWith("val_acc")).sorted().toList();

    assertEquals(Main.OK, run("search", "--resume", place.toString()), complaint());
    assertEquals(table, outLines().stream().filter(line -> line.startsWith("val_acc")).sorted().toList());
    assertComplaint("a search goes on as it began", "search", "--resume", place.toString(), "--trials", "9");
    assertComplaint("holds a search already", "search", searchFile().toString(), "--out", place.toString());
  }

  @Test
  void aSearchCanBeWrittenWithOptionsAlone() {
    Path place = folder.resolve("place");
    assertEquals(Main.BAD_INPUT, gridWith("validation=choice:0.1", place));
    assertTrue(complaint().contains("validation cannot be varied"));
    assertFalse(Files.exists(place));
    int code = gridWith("batch=choice:16", place);
    assertEquals(Main.OK, code, complaint());
    assertTrue(outLines().stream().anyMatch(line -> line.contains("lr: 1.000000e-03, batch: 16, (1 / 2)")));
  }

  private int gridWith(String varied, Path place) {
    String options =
        "search --model mlp --device cpu --strategy grid --epochs 1 --vary lr=log_uniform:1e-3,1e-2:2 --vary";
    List<String> args = new ArrayList<>(List.of(options.split(" ")));
    args.addAll(List.of(varied, "--data", data.toString(), "--out", place.toString()));
    return run(args.toArray(String[]::new));
  }

  @Test
  void whatIsGivenForTheRecipeIsKeptByTheSearchAndItsTrials() throws IOException {
    Path place = folder.resolve("place");
    String file = searchFile().toString();
    String out = place.toString();
    assertEquals(
        Main.OK,
        run("search", file, "--trials", "1", "--batch", "20", "--deterministic", "--out", out),
        this::complaint);
    for (String recipe : List.of("search.yaml", "trial-001/recipe.yaml")) {
      String text = Files.readString(place.resolve(recipe));
      assertTrue(text.contains("deterministic: true\n") && text.contains("batch: 20"), text);
    }
    assertEquals(Main.OK, run("search", "--resume", out, "--threads", "1", "--device", "reference"), this::complaint);
    assertTrue(said().contains("1 at once with 1 thread each"), said());
    assertComplaint("a search goes on as it began", "search", "--resume", out, "--batch", "30");
    assertComplaint("a search goes on as it began", "search", "--resume", out, "--deterministic");
  }

  @Test
  void theFolderInARecipeIsThatOfItsSearch() throws IOException {
    Path place = folder.resolve("place");
    Path run = folder.resolve("run");
    String recipe =
        recipe("data: %s\nmodel: mlp\nvalidation: 0.2\ndevice: cpu\nout: %s\n".formatted(data, place)).toString();
    String[] search = {
      "search", "--recipe", recipe, "--vary", "lr=uniform:0.01,0.02", "--epochs", "1", "--trials", "1"
    };
    assertEquals(Main.OK, run(search), this::complaint);
    assertTrue(Files.exists(place.resolve("trial-001").resolve("recipe.yaml")), said());
    assertFalse(Files.readString(place.resolve("search.yaml")).contains("out:"), "it can be searched again elsewhere");
    assertComplaint("holds a search already", search);
    Files.createDirectory(run);
    Files.writeString(run.resolve("recipe.yaml"), "");
    List<String> besideARun = new ArrayList<>(List.of(search));
    besideARun.addAll(List.of("--out", run.toString()));
    assertComplaint("holds a run already", besideARun.toArray(String[]::new));
  }

  @Test
  void whatNoTrialCanUseIsALineOfTheTable() {
    String place = folder.resolve("place").toString();
    String[] search = {
      "search",
      "--data",
      data.toString(),
      "--model",
      "mlp",
      "--device",
      "cpu",
      "--strategy",
      "grid",
      "--epochs",
      "1",
      "--vary",
      "batch=choice:16,1000",
      "--out",
      place
    };
    assertEquals(Main.OK, run(search), this::complaint);
    assertTrue(said().contains("failed, batch: 1000, (2 / 2): batch 1000 is larger than"), said());
  }

  /** Of nine trials the best three share a rate or a batch, so that the second grid has fewer points. */
  @Test
  void aGridOfThreeStagesEndsWithItsBest() throws IOException {
    String recipe =
        recipe("data: %s\nmodel: [flatten, {dense: 3}]\nvalidation: 0.2\ndevice: reference\n".formatted(data))
            .toString();
    Path place = folder.resolve("place");
    int code =
        run(
            "search",
            "--recipe",
            recipe,
            "--epochs",
            "1",
            "--strategy",
            "grid",
            "--stages",
            "3",
            "--vary",
            "lr=log_uniform:1e-4,1e-1:3",
            "--vary",
            "batch=choice:16,48,1000",
            "--json",
            "--out",
            place.toString());
    assertEquals(Main.OK, code, this::complaint);
    List<String> lines = outLines();
    String best = lines.stream().filter(line -> line.startsWith("best: ")).findFirst().orElseThrow();
    int trial = new JsonMapper().readTree(lines.getLast()).required("trial").asInt();
    assertTrue(best.endsWith("(" + trial + " / 27)"), best);
    assertTrue(lines.contains(best.substring("best: ".length())), best);
    assertFalse(Files.exists(place.resolve("trial-018")), "the second grid leaves out the batch that failed");
    assertTrue(Files.exists(place.resolve("trial-019")), "the third stage");
  }

  @Test
  void optionsThatWouldMakeNoDifferenceAreRefused() {
    String lr = "lr=uniform:0.01,0.02";
    assertComplaint("min_epochs: only asha", "search", "--vary", lr, "--min-epochs", "2");
    assertComplaint("reduction: only asha", "search", "--vary", lr, "--reduction", "4");
    assertComplaint("only a grid has steps", "search", "--vary", lr + ":3");
    assertComplaint("steps are a whole number, got '2.5'", "search", "--vary", lr + ":2.5");
    assertComplaint("epochs: they are varied", "search", "--vary", "epochs=integer:1,3", "--epochs", "2");
    assertComplaint("--lr: it is varied, so each trial has its own", "search", "--vary", lr, "--lr", "0.1");
    assertComplaint("too far apart", "search", "--vary", "seed=integer:0,2000000000");
  }

  @Test
  void mistakesAreToldInOneLineAndLeaveNothingBehind() throws IOException {
    String place = folder.resolve("place").toString();
    assertComplaint("there is nothing to search", "search", "--out", place);
    assertComplaint("expected a place and a range", "search", "--vary", "lr", "--out", place);
    assertComplaint(
        "--vary: there is no range 'loguniform'; did you mean 'log_uniform'?",
        "search",
        "--vary",
        "lr=loguniform:1,2",
        "--out",
        place);
    assertComplaint("did you mean 'lr'?", "search", "--vary", "rl=uniform:1,2", "--out", place);
    assertComplaint(
        "--trials: expected a whole number", "search", "--vary", "lr=uniform:1,2", "--trials", "many", "--out", place);
    assertComplaint(
        "trials: expected 1 to 100000", "search", "--vary", "lr=uniform:1,2", "--trials", "0", "--out", place);
    assertComplaint(
        "there is no 'halving'", "search", "--vary", "lr=uniform:1,2", "--strategy", "halving", "--out", place);
    assertComplaint(
        "--parallel: expected 1 or more", "search", "--vary", "lr=uniform:1,2", "--parallel", "0", "--out", place);
    assertComplaint("cannot read", "search", folder.resolve("nowhere.yaml").toString(), "--out", place);
    assertComplaint("there is no data", "search", "--vary", "lr=uniform:1,2", "--data", "nowhere", "--out", place);
    assertComplaint("is no search: there is no search.yaml in it", "search", "--resume", folder.toString());
    assertComplaint(
        "there is no file", "search", "--recipe", "nowhere.yaml", "--vary", "lr=uniform:1,2", "--out", place);
    assertFalse(Files.exists(Path.of(place)));
  }
}
