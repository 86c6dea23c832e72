package dev.lamina.study;

import dev.lamina.data.Dataset;
import java.lang.foreign.Arena;
import java.util.stream.IntStream;

/**
 * The data of an experiment.
 *
 * @param training to learn from
 * @param validation from the same set, to tune by
 * @param test seen once, for what is reported
 */
public record Splits(Dataset training, Dataset validation, Dataset test) {

  /**
   * So many examples of each part, or as many as there are.
   *
   * @param arena holds them
   */
  public static Splits open(Setting setting, Arena arena, int training, int validation, int test) {
    Dataset all = setting.data().train(arena);
    int held = Math.min(validation, all.size() / 5);
    int learned = Math.min(training, all.size() - held);
    return new Splits(
        all.take(learned),
        all.subset(IntStream.range(all.size() - held, all.size()).toArray()),
        setting.data().test(arena).take(test));
  }

  /**
   * Whether these are all that {@code data} has to learn from, held out or not.
   *
   * @param data by the name that it gives itself
   * @param images how many there are
   */
  public boolean areAllOf(String data, int images) {
    return training.name().equals(data) && training.size() + validation.size() == images;
  }

  public int classes() {
    return training.classes();
  }
}
