package dev.lamina.search;

import dev.lamina.train.recipe.YamlNode;

/**
 * A value from a range.
 *
 * @param node what goes into the recipe
 * @param number the same as a number; the place in the list, counted from 0, for a choice
 */
public record Value(YamlNode node, double number) {

  /** On one line, as a recipe could have it. */
  public String text() {
    return node.line();
  }
}
