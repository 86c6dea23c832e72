package dev.lamina.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A dataset in two parts that share no example: one to learn from, one to judge by.
 *
 * @param training what the weights are fitted to
 * @param validation what schedules, early stopping and the choice of a checkpoint look at; empty for a share of 0
 */
public record Split(Dataset training, Dataset validation) {

  static Split of(Dataset whole, double share, long seed) {
    if (!(share >= 0 && share < 1)) {
      throw new IllegalArgumentException("the validation share must be at least 0 and less than 1, got " + share);
    }
    int[][] groups = byClass(whole);
    int[] taken = shares(groups, share);
    SplitMix64 random = new SplitMix64();
    boolean[] held = new boolean[whole.size()];
    for (int group = 0; group < groups.length; group++) {
      random.seed(seed, group).shuffle(groups[group]);
      for (int i = 0; i < taken[group]; i++) {
        held[groups[group][i]] = true;
      }
    }
    return new Split(part(whole, held, false, " (training)"), part(whole, held, true, " (validation)"));
  }

  static List<Split> folds(Dataset whole, int count, long seed) {
    if (count < 2 || count > whole.size()) {
      throw new IllegalArgumentException(
          "folds: expected 2 or more, and no more than the " + whole.size() + " examples, got " + count);
    }
    int[] fold = new int[whole.size()];
    SplitMix64 random = new SplitMix64();
    int dealt = 0; // on from class to class, so that the sizes of all parts differ by at most one
    int[][] groups = byClass(whole);
    for (int group = 0; group < groups.length; group++) {
      random.seed(seed, group).shuffle(groups[group]);
      for (int example : groups[group]) {
        fold[example] = dealt++ % count;
      }
    }
    List<Split> splits = new ArrayList<>();
    for (int held = 0; held < count; held++) {
      boolean[] isHeld = new boolean[fold.length];
      for (int i = 0; i < fold.length; i++) {
        isHeld[i] = fold[i] == held;
      }
      splits.add(new Split(part(whole, isHeld, false, " (training)"), part(whole, isHeld, true, " (validation)")));
    }
    return List.copyOf(splits);
  }

  /** The examples of each class in their order; all in one group if there are no classes. */
  private static int[][] byClass(Dataset whole) {
    if (whole.classes() == 0) {
      return new int[][] {IntStream.range(0, whole.size()).toArray()};
    }
    int[] counts = whole.classCounts();
    int[][] groups = new int[counts.length][];
    Arrays.setAll(groups, group -> new int[counts[group]]);
    int[] next = new int[counts.length];
    for (int i = 0; i < whole.size(); i++) {
      int label = whole.label(i);
      groups[label][next[label]++] = i;
    }
    return groups;
  }

  /** How many of each group to hold out: whole parts first, then the largest remainders until the sum is right. */
  private static int[] shares(int[][] groups, double share) {
    int[] taken = Arrays.stream(groups).mapToInt(group -> (int) (group.length * share)).toArray();
    long wanted = Math.round(Arrays.stream(groups).mapToInt(group -> group.length).sum() * share);
    long missing = wanted - Arrays.stream(taken).sum();
    int[] byRemainder =
        IntStream.range(0, groups.length)
            .boxed()
            .sorted(Comparator.comparingDouble(group -> taken[group] - groups[group].length * share))
            .mapToInt(Integer::intValue)
            .toArray();
    for (int group : byRemainder) {
      if (missing > 0 && taken[group] + 1 < groups[group].length) {
        taken[group]++;
        missing--;
      }
    }
    return taken;
  }

  private static Dataset part(Dataset whole, boolean[] held, boolean wanted, String suffix) {
    int[] examples = IntStream.range(0, held.length).filter(i -> held[i] == wanted).toArray();
    return whole.subset(examples).named(whole.name() + suffix);
  }
}
