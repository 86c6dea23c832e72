package dev.lamina.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.train.LearningRateFinder;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code check} and {@code find-lr} as a user meets them. */
class RehearsalTest extends CommandFixture {
  private String onStripes(String text) throws IOException {
    String all = "data: " + data + "\ndevice: reference\nbatch: 20\nvalidation: 0.1\n" + text;
    return recipe(all).toString();
  }

  @Test
  void aSoundRecipePassesItsCheck() throws IOException {
    String recipe = onStripes("model: [flatten, {dense: 8}, relu, {dense: 3}]\nlr: 0.02\ninit: lsuv\n");
    assertEquals(Main.OK, run("check", recipe, "--json"), () -> said() + complaint());
    List<String> lines = outLines();
    JsonNode result = new JsonMapper().readTree(lines.getLast());
    assertTrue(result.get("ok").asBoolean());
    assertEquals(6, result.get("findings").size());
    for (JsonNode finding : result.get("findings")) {
      assertEquals("ok", finding.get("level").asString(), finding.toString());
      assertTrue(
          lines.contains("ok       " + finding.get("name").asString() + ": " + finding.get("sentence").asString()));
    }
  }

  @Test
  void aBrokenRecipeFailsItsCheckWithWords() throws IOException {
    String recipe = onStripes("model: [flatten, {dense: 8}, sigmoid, {dense: 3}]\ninit: zeros\nlr: 1e-9\n");
    assertEquals(Main.FAILED, run("check", recipe, "--steps", "20"), () -> said() + complaint());
    assertTrue(said().contains("FAILED   overfitting: 20 examples were not learned by heart in 20 steps"), said());
    assertTrue(said().contains("warning  symmetry: dense1.weight is all zeros"), said());
    assertTrue(said().contains("warning  activations: 1 hidden layer is a sigmoid"), said());
    assertTrue(said().contains("1 of 6 checks failed, 2 warnings"), said());
    assertEquals("", complaint());
  }

  @Test
  void findLrSuggestsARateForMnistAndDrawsIt() throws IOException {
    Path plot = folder.resolve("rates.png");
    int code =
        run(
            "find-lr",
            "mlp",
            "--device",
            "cpu",
            "--from",
            "1e-4",
            "--to",
            "100",
            "--steps",
            "60",
            "--batch",
            "32",
            "--optimizer",
            "sgd",
            "--out",
            plot.toString());
    assertEquals(Main.OK, code, () -> said() + complaint());
    String suggestion = said().lines().filter(line -> line.startsWith("suggestion: --lr ")).findFirst().orElseThrow();
    double rate = Double.parseDouble(suggestion.replaceAll("^suggestion: --lr ([^,]+),.*", "$1"));
    assertTrue(rate > 1e-3 && rate < 1, suggestion);
    assertTrue(said().contains("the loss exploded at rate "), said());
    BufferedImage image = ImageIO.read(plot.toFile());
    assertTrue(image.getWidth() >= 600 && image.getHeight() >= 400, image.toString());
    assertFalse(Files.exists(Path.of("lr-finder.png")));
  }

  @Test
  void theHelpNamesTheUsualRates() {
    assertEquals(new LearningRateFinder.Range(1e-6, 10, 200), LearningRateFinder.Range.DEFAULT);
    assertEquals(Main.OK, run("find-lr", "--help"));
    String help = said().replaceAll("\\s+", " ");
    assertTrue(help.contains("The first rate (1e-6)."), help);
    assertTrue(help.contains("The last rate, unless the loss explodes before (10)."), help);
    assertTrue(help.contains("10 or more (200)."), help);
  }

  @Test
  void ratesThatTrainNothingSuggestNothing() throws IOException {
    String recipe = onStripes("model: [flatten, {dense: 3}]\n");
    String plot = folder.resolve("rates.png").toString();
    assertEquals(
        Main.FAILED, run("find-lr", recipe, "--from", "1e-12", "--to", "1e-10", "--steps", "15", "--out", plot));
    assertTrue(said().contains("the loss never fell"), said());
    assertTrue(said().contains("the loss did not explode"), said());
  }

  @Test
  void mistakesAreAnsweredInOneLine() throws IOException {
    String plot = folder.resolve("rates.png").toString();
    assertComplaint("begins above 0", "find-lr", "--from", "0", "--out", plot);
    assertComplaint("10 steps or more", "find-lr", "--steps", "3", "--out", plot);
    assertComplaint("it is a folder", "find-lr", "--out", folder.toString());
    assertComplaint("there is no model 'smal-cnn'; did you mean 'small-cnn'?", "check", "smal-cnn");
    assertComplaint("there is no option '--stps'; did you mean '--steps'?", "check", "--stps", "3");
    assertComplaint("1 step or more", "check", onStripes("model: [flatten, {dense: 3}]\n"), "--steps", "0");
    assertComplaint("3 classes", "check", onStripes("model: [flatten, {dense: 4}]\n"));
    assertComplaint("3 classes", "find-lr", onStripes("model: [flatten, {dense: 4}]\n"), "--out", plot);
    assertFalse(Files.exists(Path.of(plot)));
  }
}
