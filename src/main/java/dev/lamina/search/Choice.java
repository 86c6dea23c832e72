package dev.lamina.search;

import dev.lamina.train.recipe.YamlNode;
import java.util.List;
import java.util.stream.IntStream;

/**
 * One of several values, all alike: names, numbers, whole layers.
 *
 * @param options one or more
 * @param places of the options in the list as it was written, which has more of them after a stage
 */
public record Choice(List<YamlNode> options, List<Integer> places) implements Range {
  public Choice {
    options = List.copyOf(options);
    places = List.copyOf(places);
    if (options.isEmpty()) {
      throw new IllegalArgumentException("choice: there is nothing to choose from");
    }
  }

  /** One of {@code options}. */
  public Choice(List<YamlNode> options) {
    this(options, IntStream.range(0, options.size()).boxed().toList());
  }

  @Override
  public Value draw(double u) {
    return value((int) (u * options.size()));
  }

  @Override
  public int points() {
    return options.size();
  }

  @Override
  public List<Value> grid() {
    return IntStream.range(0, options.size()).mapToObj(this::value).toList();
  }

  /** Those that are among the best. */
  @Override
  public Choice around(List<Value> best) {
    List<Integer> kept =
        IntStream.range(0, options.size())
            .filter(i -> best.stream().anyMatch(value -> value.number() == places.get(i)))
            .boxed()
            .toList();
    return new Choice(kept.stream().map(options::get).toList(), kept.stream().map(places::get).toList());
  }

  private Value value(int index) {
    return new Value(options.get(index), places.get(index));
  }
}
