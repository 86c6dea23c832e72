package dev.lamina.train.recipe;

import dev.lamina.device.DeviceOptions;
import dev.lamina.io.BadInputException;
import dev.lamina.train.Checkpoints;
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
    return read(file.toString(), recipe(YamlText.read(file)), overrides);
  }

  /**
   * The recipe in {@code text}; what it does not say is as in {@link Vocabulary#defaults}.
   *
   * @param name for messages
   * @throws BadInputException with name, line and path if something in it is unknown or wrong
   */
  public Recipe parse(String name, String text, List<Setting> overrides) {
    return read(name, recipe(YamlText.parse(text, line -> name + ":" + line)), overrides);
  }

  /** The keys and values of a whole document; none for an empty one. */
  static YamlNode.Mapping mapping(YamlNode document, String what) {
    return switch (document) {
      case YamlNode.Mapping mapping -> mapping;
      case YamlNode.Nothing nothing -> new YamlNode.Mapping(new LinkedHashMap<>(), nothing.at());
      default -> throw document.error("", "a " + what + " has keys and values, got " + document.words());
    };
  }

  /** The keys and values of a recipe, those that earlier ones had renewed. */
  static YamlNode.Mapping recipe(YamlNode document) {
    YamlNode.Mapping written = mapping(document, "recipe");
    YamlNode.Mapping recipe = new YamlNode.Mapping(new LinkedHashMap<>(written.entries()), written.at());
    renew(recipe);
    return recipe;
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

  private Recipe read(String name, YamlNode.Mapping recipe, List<Setting> overrides) {
    return read(name, overridden(recipe, "recipe", overrides));
  }

  /**
   * A document with values from the command line.
   *
   * @param what it is, for messages: "recipe"
   */
  public static YamlNode.Mapping overridden(YamlNode document, String what, List<Setting> overrides) {
    var entries = new LinkedHashMap<>(mapping(document, what).entries());
    for (Setting override : overrides) {
      YamlNode value = read(override);
      if (value instanceof YamlNode.Nothing) {
        throw value.error("", "expected a value, got nothing");
      }
      entries.put(override.key(), new YamlNode.Entry(override.option(), value));
    }
    return new YamlNode.Mapping(entries, document.at());
  }

  /** The recipe that {@code recipe} describes. */
  Recipe read(String name, YamlNode.Mapping recipe) {
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
    return writeRecord(recipe);
  }

  /**
   * Settings of another kind, written as recipes are: a component of type {@link YamlNode} takes whatever stands there.
   *
   * @param what for messages: "search"
   * @param defaults of what the document does not say
   * @throws BadInputException with place and path if something in it is unknown or wrong
   */
  public <R extends Record> R readRecord(YamlNode document, String what, R defaults) {
    return new RecordReader(vocabulary).read(mapping(document, what), defaults, "");
  }

  /** The reverse of {@link #readRecord}. */
  public String writeRecord(Record settings) {
    Map<String, Object> fields = new RecordWriter(vocabulary).fields(settings);
    return YAMLMapper.builder()
        .disable(YAMLWriteFeature.WRITE_DOC_START_MARKER)
        .enable(YAMLWriteFeature.MINIMIZE_QUOTES)
        .enable(YAMLWriteFeature.INDENT_ARRAYS_WITH_INDICATOR)
        .build()
        .writeValueAsString(fields);
  }
}
