package dev.lamina.search;

import dev.lamina.graph.Philox;
import dev.lamina.graph.RandomStream;
import dev.lamina.train.recipe.RecipeTemplate;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What is varied, and over which ranges.
 *
 * @param parameters one or more, in the order of tables
 */
public record Space(List<Parameter> parameters) {
  /** More points than anybody waits for. */
  private static final long MOST_POINTS = 1_000_000;

  /**
   * A place in a recipe that is varied.
   *
   * @param path {@code lr}, {@code optimizer.l2}, {@code model[2].dropout}
   * @param label for tables and plots: the end of the path, if that is enough to tell it from others
   * @param range of its values
   */
  public record Parameter(String path, String label, Range range) {}

  public Space {
    parameters = List.copyOf(parameters);
  }

  /** Whether the place {@code path} is one of those that are varied. */
  public boolean varies(String path) {
    return parameters.stream().anyMatch(parameter -> parameter.path.equals(path));
  }

  /**
   * The values of trial {@code trial}. They depend on nothing but the seed, its number and each parameter's path:
   * trials may be done in any order, and another parameter changes no value of the others.
   */
  public List<Value> draw(long seed, int trial) {
    return parameters.stream()
        .map(parameter ->
            parameter.range.draw(uniform(new RandomStream(seed, RandomStream.hash(parameter.path), 0), trial)))
        .toList();
  }

  /** A number in [0, 1), a multiple of 2⁻⁵³. */
  private static double uniform(RandomStream stream, int trial) {
    return (Philox.word(stream, trial, 0) << 21 | Philox.word(stream, trial, 1) >>> 11) * 0x1p-53;
  }

  /**
   * How many points the grid has; 0 if a range has no steps.
   *
   * @throws IllegalArgumentException if there are more than a million
   */
  public int points() {
    if (parameters.stream().anyMatch(parameter -> parameter.range.points() == 0)) {
      return 0;
    }
    long points = 1;
    for (Parameter parameter : parameters) {
      points *= parameter.range.points();
      if (points > MOST_POINTS) {
        throw new IllegalArgumentException("the grid has more than a million points; take fewer steps");
      }
    }
    return Math.toIntExact(points);
  }

  /**
   * All points of the grid; the last parameter changes fastest. Empty if a range has no steps.
   *
   * @throws IllegalArgumentException if there are more than a million
   */
  public List<List<Value>> grid() {
    if (points() == 0) {
      return List.of();
    }
    List<List<Value>> grid = List.of(List.of());
    for (Parameter parameter : parameters) {
      List<List<Value>> longer = new ArrayList<>();
      for (List<Value> point : grid) {
        for (Value value : parameter.range.grid()) {
          List<Value> next = new ArrayList<>(point);
          next.add(value);
          longer.add(List.copyOf(next));
        }
      }
      grid = longer;
    }
    return grid;
  }

  /** The same parameters over the parts of their ranges around {@code best}: values by trial and parameter. */
  public Space around(List<List<Value>> best) {
    return new Space(
        IntStream.range(0, parameters.size())
            .mapToObj(i -> {
              Parameter wide = parameters.get(i);
              return new Parameter(
                  wide.path, wide.label, wide.range.around(best.stream().map(values -> values.get(i)).toList()));
            })
            .toList());
  }

  /** {@code values} as changes of a recipe. */
  List<RecipeTemplate.Change> changes(List<Value> values) {
    return IntStream.range(0, parameters.size())
        .mapToObj(i -> new RecipeTemplate.Change(parameters.get(i).path, values.get(i).node()))
        .toList();
  }
}
