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

  /** Insertions, deletions and replacements of one letter, and exchanges of two neighbours. */
  static int distance(String a, String b) {
    int[][] rows = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          rows[i][j] = i + j;
          continue;
        }
        int replaced = rows[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        rows[i][j] = Math.min(replaced, 1 + Math.min(rows[i - 1][j], rows[i][j - 1]));
        if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
          rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1);
        }
      }
    }
    return rows[a.length()][b.length()];
  }
}
