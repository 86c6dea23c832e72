package dev.lamina.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Uses {@code lamina search} as a user would, mistakes included. */
class SearchCommandTest {
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
    PrintStream lines = new PrintStream(out, true, StandardCharsets.UTF_8);
    PrintStream complaints = new PrintStream(err, true, StandardCharsets.UTF_8);
    List<String> all = new ArrayList<>(List.of("search"));
    all.addAll(List.of(args));
    return Main.run(new Console(lines, complaints, false), all.toArray(String[]::new));
  }

  private List<String> outLines() {
    return out.toString(StandardCharsets.UTF_8).lines().toList();
  }

  private void assertComplaint(String expected, String... args) {
    int code = run(args);
    List<String> lines = err.toString(StandardCharsets.UTF_8).lines().toList();
    assertEquals(1, lines.size(), "one line, got " + lines);
    assertEquals(Main.BAD_INPUT, code, lines.getFirst());
    assertTrue(lines.getFirst().startsWith("lamina: ") && lines.getFirst().contains(expected), lines.getFirst());
  }

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
  void aSearchPrintsATableAndLeavesItsTrialsAPlotAndTheCommandThatTrainsTheBest() throws IOException {
    Path place = folder.resolve("place");
    assertEquals(
        Main.OK,
        run(searchFile().toString(), "--out", place.toString(), "--json"),
        err.toString(StandardCharsets.UTF_8));
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

    assertEquals(Main.OK, run("--resume", place.toString()), err.toString(StandardCharsets.UTF_8));
    assertEquals(table, outLines().stream().filter(line -> line.startsWith("val_acc")).sorted().toList());
    assertComplaint("a search goes on as it began", "--resume", place.toString(), "--trials", "9");
    assertComplaint("holds a search already", searchFile().toString(), "--out", place.toString());
  }

  @Test
  void aSearchCanBeWrittenWithOptionsAlone() {
    Path place = folder.resolve("place");
    int code =
        run(
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
            "lr=log_uniform:1e-3,1e-2:2",
            "--vary",
            "validation=choice:0.1",
            "--out",
            place.toString());
    assertEquals(Main.BAD_INPUT, code);
    assertTrue(err.toString(StandardCharsets.UTF_8).contains("validation cannot be varied"));
    assertFalse(Files.exists(place));
    code =
        run(
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
            "lr=log_uniform:1e-3,1e-2:2",
            "--vary",
            "batch=choice:16",
            "--out",
            place.toString());
    assertEquals(Main.OK, code, err.toString(StandardCharsets.UTF_8));
    assertTrue(outLines().stream().anyMatch(line -> line.contains("lr: 1.000000e-03, batch: 16, (1 / 2)")));
  }

  @Test
  void mistakesAreToldInOneLineAndLeaveNothingBehind() throws IOException {
    String place = folder.resolve("place").toString();
    assertComplaint("there is nothing to search", "--out", place);
    assertComplaint("expected a place and a range", "--vary", "lr", "--out", place);
    assertComplaint(
        "--vary: there is no range 'loguniform'; did you mean 'log_uniform'?",
        "--vary",
        "lr=loguniform:1,2",
        "--out",
        place);
    assertComplaint("did you mean 'lr'?", "--vary", "rl=uniform:1,2", "--out", place);
    assertComplaint(
        "--trials: expected a whole number", "--vary", "lr=uniform:1,2", "--trials", "many", "--out", place);
    assertComplaint("trials: expected 1 to 100000", "--vary", "lr=uniform:1,2", "--trials", "0", "--out", place);
    assertComplaint("there is no 'halving'", "--vary", "lr=uniform:1,2", "--strategy", "halving", "--out", place);
    assertComplaint("--parallel: expected 1 or more", "--vary", "lr=uniform:1,2", "--parallel", "0", "--out", place);
    assertComplaint("cannot read", folder.resolve("nowhere.yaml").toString(), "--out", place);
    assertComplaint("there is no data", "--vary", "lr=uniform:1,2", "--data", "nowhere", "--out", place);
    assertComplaint("is no search: there is no search.yaml in it", "--resume", folder.toString());
    assertComplaint("there is no file", "--recipe", "nowhere.yaml", "--vary", "lr=uniform:1,2", "--out", place);
    assertFalse(Files.exists(Path.of(place)));
  }
}
