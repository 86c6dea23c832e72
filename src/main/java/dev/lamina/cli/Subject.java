package dev.lamina.cli;

import dev.lamina.nn.models.Architectures;
import dev.lamina.train.recipe.Recipe;
import dev.lamina.train.recipe.RecipeText;
import dev.lamina.train.run.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Parameters;

/** What a command looks at that trains nothing. */
final class Subject {
  @Parameters(
      arity = "0..1",
      paramLabel = "RECIPE|MODEL|RUN",
      description = "A recipe, the name of a model, or a run; the default model unless given.")
  private String name;

  /** Whether it is the name of a model for ImageNet's images. */
  boolean isForImageNet() {
    return name != null && Architectures.isForImageNet(name);
  }

  /**
   * Its recipe.
   *
   * @param given what options of the command line say, by the keys of a recipe; null where they say nothing
   */
  Recipe recipe(Map<String, String> given) {
    RecipeText text = new RecipeText();
    List<RecipeText.Setting> overrides = new ArrayList<>(RecipeOptions.settings(given));
    if (name == null) {
      return text.parse("", "", overrides);
    }
    Path place = Path.of(name);
    if (Files.isDirectory(place)) {
      return text.read(RunFolder.open(place).recipe(), overrides);
    } else if (Files.isRegularFile(place) || name.endsWith(".yaml")) {
      return text.read(place, overrides);
    }
    overrides.add(new RecipeText.Setting("--model", "model", name));
    return text.parse("", "", overrides);
  }
}
