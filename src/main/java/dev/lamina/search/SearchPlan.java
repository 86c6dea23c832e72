package dev.lamina.search;

import dev.lamina.loss.Loss;
import dev.lamina.train.recipe.Recipe;
import dev.lamina.train.recipe.RecipeTemplate;
import dev.lamina.train.recipe.YamlNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What is searched, and how.
 *
 * @param recipe what all trials have in common
 * @param space what differs between them
 * @param strategy how trials are chosen
 * @param trials of each stage
 * @param stages coarse to fine: after each the ranges shrink around what did best; 1 or more
 * @param epochs of a trial at most, 1 or more; where they are varied, those of the recipe
 * @param minEpochs after which trials are compared first; less than {@code epochs} for {@link Strategy#ASHA}
 * @param reduction one of so many goes on, 2 or more
 * @param seed of the values that are drawn
 * @param folds of cross-validation; 1 for the recipe's validation share, judged once
 */
public record SearchPlan(
    RecipeTemplate recipe,
    Space space,
    Strategy strategy,
    int trials,
    int stages,
    int epochs,
    int minEpochs,
    int reduction,
    long seed,
    int folds) {
  /** What would make trials incomparable, or is the same for all: data, device, where results go. */
  private static final Set<String> FIXED = Set.of("data", "device", "threads", "deterministic", "out", "validation");

  /** What makes no difference to a trial. */
  private static final Set<String> UNUSED = Set.of("keep_every", "statistics_every");

  /** Of all trials of a stage this share, but three at least, says where the next one looks. */
  private static final double SHARE_OF_BEST = 0.2;

  private static final int FEWEST_BEST = 3;

  /** More than anybody waits for. */
  private static final int MOST_TRIALS = 100_000;

  public SearchPlan {
    if (space.parameters().isEmpty()) {
      throw new IllegalArgumentException("space: there is nothing to search; give a place in the recipe and its range");
    }
    for (Space.Parameter parameter : space.parameters()) {
      if (FIXED.contains(parameter.path())) {
        throw new IllegalArgumentException(
            "space: " + parameter.path() + " cannot be varied: trials that differ in it could not be compared");
      }
      if (UNUSED.contains(parameter.path())) {
        throw new IllegalArgumentException(
            "space: "
                + parameter.path()
                + " cannot be varied: of a trial the best and the last model are kept, and nobody looks inside");
      }
      if (isLossOfRegression(recipe, parameter)) {
        throw new IllegalArgumentException(
            "space: "
                + parameter.path()
                + " cannot be varied for a regression: its trials are compared by their loss, and that has to be one");
      }
      if (parameter.path().equals("epochs") && strategy == Strategy.ASHA) {
        throw new IllegalArgumentException("space: asha itself decides on epochs; they cannot be varied too");
      }
      if (strategy == Strategy.GRID && parameter.range().points() == 0) {
        throw new IllegalArgumentException(
            "space: " + parameter.path() + ": a grid has points; say how many with steps beside the range");
      }
      if (strategy != Strategy.GRID && parameter.range() instanceof Interval interval && interval.steps() > 0) {
        throw new IllegalArgumentException(
            "space: " + parameter.path() + ": only a grid has steps; leave them out, or choose the strategy grid");
      }
    }
    require(trials >= 1 && (long) trials * stages <= MOST_TRIALS, "trials", "1 to 100000 in all stages", trials);
    require(stages >= 1, "stages", "1 or more", stages);
    require(epochs >= 1, "epochs", "1 or more", epochs);
    require(reduction >= 2, "reduction", "2 or more", reduction);
    require(folds >= 1, "folds", "1 (the recipe's validation share) or more", folds);
    require(minEpochs >= 1, "min_epochs", "1 or more", minEpochs);
    if (strategy == Strategy.ASHA && minEpochs >= epochs) {
      throw new IllegalArgumentException(
          "min_epochs: expected fewer than the " + epochs + " epochs of a whole trial, got " + minEpochs);
    }
  }

  /** Accuracies can be compared whatever was made small; losses only with each other. */
  private static boolean isLossOfRegression(RecipeTemplate recipe, Space.Parameter parameter) {
    if (parameter.path().equals("loss") && parameter.range() instanceof Choice choice) {
      return choice.options().stream()
          .map(option -> new RecipeTemplate.Change("loss", option))
          .anyMatch(loss -> isRegression(recipe.with(List.of(loss))));
    }
    return parameter.path().startsWith("loss.") && isRegression(recipe.with(List.of()));
  }

  private static boolean isRegression(Recipe recipe) {
    return recipe.loss().task() == Loss.Task.REGRESSION;
  }

  private static void require(boolean isRight, String what, String expected, int got) {
    if (!isRight) {
      throw new IllegalArgumentException(what + ": expected " + expected + ", got " + got);
    }
  }

  /** After how many epochs trials are compared, ascending: one number unless the strategy promotes. */
  public List<Integer> rungs() {
    List<Integer> rungs = new ArrayList<>();
    if (strategy == Strategy.ASHA) {
      for (long rung = minEpochs; rung < epochs; rung *= reduction) {
        rungs.add((int) rung);
      }
    }
    rungs.add(epochs);
    return List.copyOf(rungs);
  }

  /** What trials have in common: the recipe as it was written, with its own number of epochs. */
  public Recipe base() {
    return recipe.with(List.of());
  }

  /**
   * The trials of a stage.
   *
   * @param ranges where they look: {@link #space} in the first stage, then {@link #narrowed}
   */
  public List<Trial> trials(int stage, Space ranges) {
    int before = (stage - 1) * trials;
    List<List<Value>> grid = strategy == Strategy.GRID ? ranges.grid() : List.of();
    int count = strategy == Strategy.GRID ? Math.min(trials, grid.size()) : trials;
    return IntStream.range(0, count)
        .mapToObj(i -> {
          int number = before + i + 1;
          List<Value> values = strategy == Strategy.GRID ? grid.get(i) : ranges.draw(seed, number);
          return new Trial(number, stage, values, recipe(ranges.changes(values)));
        })
        .toList();
  }

  private Recipe recipe(List<RecipeTemplate.Change> values) {
    List<RecipeTemplate.Change> changes = new ArrayList<>(values);
    if (!space.varies("epochs")) {
      changes.add(
          new RecipeTemplate.Change("epochs", new YamlNode.Scalar(Integer.toString(epochs), "epochs of the search")));
    }
    return recipe.with(changes);
  }

  /**
   * The ranges of the next stage: around the best fifth of this one, three trials at least.
   *
   * @param ranges of this stage
   * @param trials of this stage
   * @param outcomes the last of each of them
   */
  public Space narrowed(Space ranges, List<Trial> trials, List<Outcome> outcomes) {
    int count = Math.max(FEWEST_BEST, (int) Math.ceil(SHARE_OF_BEST * trials.size()));
    int first = trials.getFirst().number();
    List<List<Value>> best =
        outcomes.stream()
            .filter(Outcome::isGood)
            .sorted(Outcome.BEST_FIRST)
            .limit(count)
            .map(outcome -> trials.get(outcome.trial() - first).values())
            .toList();
    return best.isEmpty() ? ranges : ranges.around(best);
  }
}
