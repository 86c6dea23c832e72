package dev.lamina.study;

import java.util.ArrayList;
import java.util.List;

/** What was best at an end of what was tried, so that something beyond might be better. */
public final class Edges {
  private final List<String> found = new ArrayList<>();

  /**
   * Remembers a choice that lies at an end.
   *
   * @param what it was made for
   * @param chosen one of {@code tried}
   * @param tried in ascending order
   */
  public void look(String what, double chosen, double[] tried) {
    if (tried.length > 1 && isAtEnd(chosen, tried)) {
      found.add(what + " (" + Numbers.text(chosen) + ")");
    }
  }

  /** Whether a choice lies at an end of what was tried, in ascending order. */
  public static boolean isAtEnd(double chosen, double[] tried) {
    return chosen == tried[0] || chosen == tried[tried.length - 1];
  }

  /** A note on all choices. */
  public String note() {
    return found.isEmpty()
        ? "no chosen rate lies at an end of those that were tried"
        : "chosen at an end of the rates that were tried, beyond which a better one might lie: "
            + String.join(", ", found);
  }
}
