package dev.lamina.train.recipe;

import java.util.Locale;

/** How names of Java look in a recipe. */
final class Names {
  private Names() {}

  /** {@code labelSmoothing} and {@code LABEL_SMOOTHING} as {@code label_smoothing}. */
  static String snake(String name) {
    if (name.equals(name.toUpperCase(Locale.ROOT))) {
      return name.toLowerCase(Locale.ROOT);
    }
    return name.replaceAll("([a-z0-9])([A-Z])", "$1_$2").toLowerCase(Locale.ROOT);
  }

  /** {@code path.key}, or {@code key} at the top. */
  static String join(String path, String key) {
    return path.isEmpty() ? key : path + "." + key;
  }
}
