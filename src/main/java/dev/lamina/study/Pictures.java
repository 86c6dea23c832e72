package dev.lamina.study;

import java.util.List;

/**
 * Small grey pictures in rows, each from its own darkest value to its own brightest, with 0 in the middle.
 *
 * @param name of the file, without ending
 * @param title above them
 * @param columns pictures in a row
 * @param width of each, in values
 * @param values of each picture, row by row
 */
public record Pictures(String name, String title, int columns, int width, List<double[]> values) {
  public Pictures {
    values = List.copyOf(values);
    if (values.isEmpty() || columns < 1 || width < 1 || values.stream().anyMatch(v -> v.length % width != 0)) {
      throw new IllegalArgumentException(name + ": pictures have whole rows of " + width + " values");
    }
  }
}
