package dev.lamina.train.recipe;

import dev.lamina.io.BadInputException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;

/**
 * A recipe whose values can still be changed: YAML that is read only afterwards, so that all that holds for recipes
 * holds for each change, and what a recipe leaves out follows what was changed.
 *
 * @param name for messages
 * @param recipe as it was written
 */
public record RecipeTemplate(String name, YamlNode.Mapping recipe) {

  /**
   * A value to be put somewhere.
   *
   * @param path {@code lr}, {@code optimizer.l2}, {@code model[2].dropout}
   * @param value that takes the place of what is there
   */
  public record Change(String path, YamlNode value) {}

  /** The recipe that {@code document} holds; empty takes every default. */
  public static RecipeTemplate of(String name, YamlNode document) {
    return new RecipeTemplate(name, RecipeText.recipe(document));
  }

  /**
   * The recipe in {@code file}.
   *
   * @throws BadInputException if it cannot be read or is no YAML
   */
  public static RecipeTemplate read(Path file) {
    return of(file.toString(), YamlText.read(file));
  }

  /**
   * The recipe with some values changed. Outer ones are put first: an optimizer before its decay. A key of which a part
   * is changed is spelled out for that; all others stay as they were written.
   *
   * @throws BadInputException if there is no such place, or the recipe is wrong, in one line
   */
  public Recipe with(List<Change> changes) {
    RecipeText text = new RecipeText();
    return text.read(name, changed(changes, text));
  }

  /**
   * The template with values from the command line.
   *
   * @throws BadInputException if they make no recipe
   */
  public RecipeTemplate overridden(List<RecipeText.Setting> settings) {
    YamlNode.Mapping overridden = RecipeText.overridden(recipe, "recipe", settings);
    new RecipeText().read(name, overridden);
    return new RecipeTemplate(name, overridden);
  }

  /** The template without {@code key}, which then has its default. */
  public RecipeTemplate without(String key) {
    var entries = new LinkedHashMap<>(recipe.entries());
    entries.remove(key);
    return new RecipeTemplate(name, new YamlNode.Mapping(entries, recipe.at()));
  }

  private YamlNode.Mapping changed(List<Change> changes, RecipeText text) {
    record Placed(RecipePath path, YamlNode value) {}

    List<Placed> outerFirst =
        changes.stream()
            .map(change -> new Placed(RecipePath.parse(change.path, change.value.at()), change.value))
            .sorted(Comparator.comparingInt(placed -> placed.path.steps().size()))
            .toList();
    var mapping = new YamlNode.Mapping(new LinkedHashMap<>(recipe.entries()), recipe.at());
    for (Placed placed : outerFirst) {
      String root = placed.path.root();
      YamlNode value = placed.value;
      if (!placed.path.isRoot()) {
        YamlNode whole = YamlText.parse(text.write(text.read(name, mapping)), _ -> name);
        YamlNode.Entry entry = RecipeText.mapping(whole, "recipe").entries().get(root);
        // Without one the reader complains about the key.
        value = entry == null ? value : placed.path.placed(entry.value(), value);
      }
      mapping.entries().put(root, new YamlNode.Entry(placed.value.at(), value));
    }
    return mapping;
  }
}
