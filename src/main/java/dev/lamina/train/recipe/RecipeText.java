package dev.lamina.train.recipe;

import dev.lamina.device.DeviceOptions;
import dev.lamina.io.BadInputException;
import dev.lamina.train.Checkpoints;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.dataformat.yaml.YAMLMapper;
import tools.jackson.dataformat.yaml.YAMLWriteFeature;

/** Recipes as YAML. */
public final class RecipeText {

  /**
   * A value that comes from the command line instead of the recipe.
   *
   * @param option for messages: {@code --lr}
   * @param key of the recipe
   * @param text YAML, mostly a number or a word
   */
  public record Setting(String option, String key, String text) {}

  private final Vocabulary vocabulary = new Vocabulary();

  /**
   * The recipe in {@code file}.
   *
   * @throws BadInputException with file, line and path if something in it is unknown or wrong
   */
  public Recipe read(Path file, List<Setting> overrides) {
    try {
      return parse(file.toString(), Files.readString(file), overrides);
    } catch (CharacterCodingException e) {
      throw new BadInputException(file + ": is no text in UTF-8, so it is no recipe", e);
    } catch (IOException e) {
      throw BadInputException.access("read", file, e);
    }
  }

  /**
   * The recipe in {@code text}; what it does not say is as in {@link Vocabulary#defaults}.
   *
   * @param name for messages
   * @throws BadInputException with name, line and path if something in it is unknown or wrong
   */
  public Recipe parse(String name, String text, List<Setting> overrides) {
    YamlNode node = YamlText.parse(text, line -> name + ":" + line);
    YamlNode.Mapping recipe =
        switch (node) {
          case YamlNode.Mapping mapping -> mapping;
          case YamlNode.Nothing nothing -> new YamlNode.Mapping(new LinkedHashMap<>(), nothing.at());
          default -> throw node.error("", "a recipe has keys and values, got " + node.words());
        };
    renew(recipe);
    for (Setting override : overrides) {
      YamlNode value = read(override);
      if (value instanceof YamlNode.Nothing) {
        throw value.error("", "expected a value, got nothing");
      }
      recipe.entries().put(override.key(), new YamlNode.Entry(override.option(), value));
    }
    Recipe read = new RecordReader(vocabulary).read(recipe, vocabulary.defaults(), "");
    Recipe full = read.lr() == null ? read.withRate(vocabulary.usualRate(read.optimizer())) : read;
    try {
      full.options();
      new Checkpoints(Path.of(""), full.keepEvery());
      new DeviceOptions(full.threads());
    } catch (IllegalArgumentException e) {
      throw new BadInputException(name.isEmpty() ? e.getMessage() : name + ": " + e.getMessage(), e);
    }
    return full;
  }

  /** {@code normalise}, which earlier recipes had: mean and deviation of each channel, or nothing. */
  private static void renew(YamlNode.Mapping recipe) {
    YamlNode.Entry earlier = recipe.entries().remove("normalise");
    if (earlier == null) {
      return;
    }
    if (recipe.entries().containsKey("preprocessing")) {
      throw YamlNode.error(
          earlier.at(), "normalise", "it is the earlier word for preprocessing, which is given too; leave it out");
    }
    String word =
        switch (earlier.value()) {
          case YamlNode.Scalar(String text, String _) when text.equals("true") -> "z_score";
          case YamlNode.Scalar(String text, String _) when text.equals("false") -> "none";
          default -> throw earlier.value().error("normalise", "expected true or false, got " + earlier.value().words());
        };
    recipe.entries().put("preprocessing", new YamlNode.Entry(earlier.at(), new YamlNode.Scalar(word, earlier.at())));
  }

  /** Text is taken as it is: a folder may be called {@code a: b}, or {@code null}. */
  private static YamlNode read(Setting setting) {
    boolean isText =
        Arrays.stream(Recipe.class.getRecordComponents())
            .anyMatch(component ->
                component.getType() == String.class && Names.snake(component.getName()).equals(setting.key()));
    return isText && !setting.text().isEmpty()
        ? new YamlNode.Scalar(setting.text(), setting.option())
        : YamlText.parse(setting.text(), _ -> setting.option());
  }

  /** The whole recipe as text that {@link #parse} turns into an equal one. */
  public String write(Recipe recipe) {
    Map<String, Object> fields = new RecordWriter(vocabulary).fields(recipe);
    return YAMLMapper.builder()
        .disable(YAMLWriteFeature.WRITE_DOC_START_MARKER)
        .enable(YAMLWriteFeature.MINIMIZE_QUOTES)
        .enable(YAMLWriteFeature.INDENT_ARRAYS_WITH_INDICATOR)
        .build()
        .writeValueAsString(fields);
  }
}
