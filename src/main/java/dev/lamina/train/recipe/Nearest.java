package dev.lamina.train.recipe;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;

/** Finds the name that somebody probably meant. */
public final class Nearest {
  private Nearest() {}

  /** {@code ; did you mean 'x'?} if a name is close enough to {@code typed}, else a list of all names. */
  public static String hint(String typed, Collection<String> names) {
    String wanted = typed.toLowerCase(Locale.ROOT);
    return names.stream()
        .min(Comparator.comparingInt(name -> distance(wanted, name.toLowerCase(Locale.ROOT))))
        .filter(name -> isClose(distance(wanted, name.toLowerCase(Locale.ROOT)), name))
        .map(name -> "; did you mean '" + name + "'?")
        .orElse("; there " + (names.size() == 1 ? "is " : "are ") + String.join(", ", names));
  }

  /** A short name is not close to a word with which it has no letter in common. */
  private static boolean isClose(int distance, String name) {
    return distance <= Math.max(2, name.length() / 3) && distance < name.length();
  }

  /** Levenshtein's distance: insertions, deletions and replacements of one letter. */
  static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
