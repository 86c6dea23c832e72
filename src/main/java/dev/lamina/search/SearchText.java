package dev.lamina.search;

import dev.lamina.io.BadInputException;
import dev.lamina.train.recipe.Nearest;
import dev.lamina.train.recipe.Recipe;
import dev.lamina.train.recipe.RecipeTemplate;
import dev.lamina.train.recipe.RecipeText;
import dev.lamina.train.recipe.YamlNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Search plans as YAML. */
public final class SearchText {
  /** Keys of a search file that no recipe has. */
  public static final Set<String> OWN_KEYS =
      Set.of("recipe", "space", "strategy", "trials", "stages", "min_epochs", "reduction", "folds");

  private static final List<String> RANGES =
      List.of(
          Interval.name(Interval.Kind.LOG_UNIFORM),
          Interval.name(Interval.Kind.UNIFORM),
          Interval.name(Interval.Kind.INTEGER),
          "choice");

  private static final int USUAL_TRIALS = 20;
  private static final int USUAL_MIN_EPOCHS = 1;
  private static final int USUAL_REDUCTION = 3;

  /**
   * A search file.
   *
   * @param recipe keys and values, or the name of a file beside this one
   * @param space ranges by path
   * @param trials of a stage; null for 20, and for all points of a grid
   * @param epochs of a trial; null for those of the recipe, and where they are varied
   * @param minEpochs for asha; null for 1
   * @param reduction for asha; null for 3
   */
  public record Settings(
      YamlNode recipe,
      YamlNode space,
      Strategy strategy,
      Integer trials,
      int stages,
      Integer epochs,
      Integer minEpochs,
      Integer reduction,
      long seed,
      int folds) {}

  private static final Settings DEFAULTS =
      new Settings(
          new YamlNode.Nothing("search"),
          new YamlNode.Nothing("search"),
          Strategy.RANDOM,
          null,
          1,
          null,
          null,
          null,
          1,
          1);

  private final RecipeText text = new RecipeText();

  /**
   * The plan that {@code document} describes.
   *
   * @param name for messages
   * @param folder in which a recipe that is named, instead of written out, is found
   * @param overrides values from the command line, by key of the search file
   * @param ofRecipe values from the command line too, by key of the recipe; what is varied cannot be given
   * @throws BadInputException in one line, with place and path, if something in it is unknown or wrong
   */
  public SearchPlan parse(
      String name,
      YamlNode document,
      Path folder,
      List<RecipeText.Setting> overrides,
      List<RecipeText.Setting> ofRecipe) {
    Settings file = text.readRecord(RecipeText.overridden(document, "search", overrides), "search", DEFAULTS);
    RecipeTemplate recipe = recipe(name, file.recipe, folder).overridden(ofRecipe);
    Space space = space(file.space);
    for (RecipeText.Setting setting : ofRecipe) {
      if (space.varies(setting.key())) {
        throw new BadInputException(setting.option() + ": it is varied, so each trial has its own; leave it out");
      }
    }
    try {
      requireUse(file, space);
      int epochs = file.epochs == null ? recipe.with(List.of()).epochs() : file.epochs;
      int trials = trials(file, space);
      SearchPlan plan =
          new SearchPlan(
              recipe,
              space,
              file.strategy,
              trials,
              file.stages,
              epochs,
              file.minEpochs == null ? USUAL_MIN_EPOCHS : file.minEpochs,
              file.reduction == null ? USUAL_REDUCTION : file.reduction,
              file.seed,
              file.folds);
      requireComparison(plan);
      return plan;
    } catch (IllegalArgumentException e) {
      throw new BadInputException(name.isEmpty() ? e.getMessage() : name + ": " + e.getMessage(), e);
    }
  }

  /** Whoever sets something expects a difference. */
  private static void requireUse(Settings file, Space space) {
    if (file.strategy != Strategy.ASHA && (file.minEpochs != null || file.reduction != null)) {
      throw new IllegalArgumentException(
          (file.minEpochs != null ? "min_epochs" : "reduction")
              + ": only asha compares trials on their way; leave it out, or choose the strategy asha");
    }
    if (file.epochs != null && space.varies("epochs")) {
      throw new IllegalArgumentException("epochs: they are varied, so each trial has its own; leave this number out");
    }
  }

  private static int trials(Settings file, Space space) {
    if (file.strategy != Strategy.GRID) {
      return file.trials == null ? USUAL_TRIALS : file.trials;
    }
    int points = space.points();
    if (file.trials != null && file.trials != points) {
      throw new IllegalArgumentException(
          "trials: the grid has " + points + " points, and each is a trial; leave it out");
    }
    return Math.max(1, points);
  }

  private static void requireComparison(SearchPlan plan) {
    Recipe base = plan.base();
    if (plan.folds() == 1 && base.validation() == 0) {
      throw new IllegalArgumentException(
          "validation: a search compares by examples that were held out; give a share of them, or folds");
    }
    if (base.keepEvery() > 0) {
      throw new IllegalArgumentException(
          "keep_every: a search keeps the best and the last model of each trial, and no others; leave it out");
    }
  }

  private static RecipeTemplate recipe(String name, YamlNode recipe, Path folder) {
    if (recipe instanceof YamlNode.Scalar(String file, String at)) {
      Path path = folder.resolve(file);
      if (!Files.isRegularFile(path)) {
        throw new BadInputException(at + ": recipe: there is no file " + path);
      }
      return RecipeTemplate.read(path);
    }
    return RecipeTemplate.of(name, recipe);
  }

  private static Space space(YamlNode node) {
    List<Space.Parameter> parameters = new ArrayList<>();
    switch (node) {
      case YamlNode.Nothing _ -> {}
      case YamlNode.Mapping mapping -> {
        List<String> paths = List.copyOf(mapping.entries().keySet());
        mapping
            .entries()
            .forEach((path, entry) ->
                parameters.add(new Space.Parameter(path, label(path, paths), range(path, entry.at(), entry.value()))));
      }
      default -> throw node.error("space", "expected places in a recipe with their ranges, got " + node.words());
    }
    return new Space(parameters);
  }

  /** As much of the end of a path as tells it from the others. */
  private static String label(String path, List<String> all) {
    String[] parts = path.split("\\.", -1);
    for (int from = parts.length - 1; from > 0; from--) {
      String end = String.join(".", Arrays.asList(parts).subList(from, parts.length));
      if (all.stream().filter(other -> other.equals(end) || other.endsWith("." + end)).count() == 1) {
        return end;
      }
    }
    return path;
  }

  private static Range range(String path, String at, YamlNode node) {
    String where = "space." + path;
    if (!(node instanceof YamlNode.Mapping mapping)) {
      throw YamlNode.error(at, where, "expected a range, for example {log_uniform: [1e-4, 1e-1]}, got " + node.words());
    }
    var entries = new LinkedHashMap<>(mapping.entries());
    YamlNode.Entry stepsEntry = entries.remove("steps");
    if (entries.size() != 1) {
      throw YamlNode.error(at, where, "expected one of " + String.join(", ", RANGES) + ", with steps for a grid");
    }
    String kind = entries.firstEntry().getKey();
    YamlNode.Entry entry = entries.firstEntry().getValue();
    if (!RANGES.contains(kind)) {
      throw YamlNode.error(entry.at(), where, "there is no range '" + kind + "'" + Nearest.hint(kind, RANGES));
    }
    if (!(entry.value() instanceof YamlNode.Sequence values)) {
      throw entry.value().error(where + "." + kind, "expected a list in brackets, got " + entry.value().words());
    }
    try {
      if (kind.equals("choice")) {
        return choice(values, stepsEntry, where);
      }
      if (values.items().size() != 2) {
        throw values.error(where + "." + kind, "expected two numbers, the lower first, got " + values.line());
      }
      int steps = stepsEntry == null ? 0 : steps(stepsEntry.value(), where + ".steps");
      return new Interval(
          Interval.Kind.valueOf(kind.toUpperCase(Locale.ROOT)),
          number(values.items().get(0), where + "." + kind),
          number(values.items().get(1), where + "." + kind),
          steps,
          at);
    } catch (IllegalArgumentException e) {
      throw YamlNode.error(at, where, e.getMessage());
    }
  }

  private static Choice choice(YamlNode.Sequence values, YamlNode.Entry steps, String where) {
    if (steps != null) {
      throw YamlNode.error(steps.at(), where + ".steps", "a choice has as many steps as values; leave it out");
    }
    return new Choice(values.items());
  }

  private static int steps(YamlNode node, String where) {
    try {
      if (node instanceof YamlNode.Scalar(String number, String _)) {
        return Integer.parseInt(number);
      }
    } catch (NumberFormatException _) {
      // The complaint below says it better.
    }
    throw node.error(where, "steps are a whole number, got " + node.words());
  }

  private static double number(YamlNode node, String where) {
    try {
      if (node instanceof YamlNode.Scalar(String number, String _)) {
        return Double.parseDouble(number);
      }
    } catch (NumberFormatException _) {
      // The complaint below says it better.
    }
    throw node.error(where, "expected a number, got " + node.words());
  }

  /** The whole plan as text that {@link #parse} turns into an equal one, wherever it is. */
  public String write(SearchPlan plan) {
    return text.writeRecord(
        new Settings(
            plan.recipe().without("out").recipe(), // it shall be good for another search
            written(plan.space()),
            plan.strategy(),
            plan.strategy() == Strategy.GRID ? null : plan.trials(),
            plan.stages(),
            plan.space().varies("epochs") ? null : plan.epochs(),
            plan.strategy() == Strategy.ASHA ? plan.minEpochs() : null,
            plan.strategy() == Strategy.ASHA ? plan.reduction() : null,
            plan.seed(),
            plan.folds()));
  }

  private static YamlNode written(Space space) {
    var paths = new LinkedHashMap<String, YamlNode.Entry>();
    for (Space.Parameter parameter : space.parameters()) {
      var range = new LinkedHashMap<String, YamlNode.Entry>();
      switch (parameter.range()) {
        case Choice choice -> put(range, "choice", new YamlNode.Sequence(choice.options(), ""));
        case Interval interval -> {
          put(
              range,
              Interval.name(interval.kind()),
              new YamlNode.Sequence(List.of(scalar(interval.lowText()), scalar(interval.highText())), ""));
          if (interval.steps() > 0) {
            put(range, "steps", scalar(Integer.toString(interval.steps())));
          }
        }
      }
      put(paths, parameter.path(), new YamlNode.Mapping(range, ""));
    }
    return new YamlNode.Mapping(paths, "");
  }

  private static void put(Map<String, YamlNode.Entry> entries, String key, YamlNode value) {
    entries.put(key, new YamlNode.Entry("", value));
  }

  private static YamlNode scalar(String text) {
    return new YamlNode.Scalar(text, "");
  }
}
