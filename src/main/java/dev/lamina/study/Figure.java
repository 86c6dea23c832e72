package dev.lamina.study;

import java.util.List;

/**
 * A picture of panels side by side.
 *
 * @param name of its file, without ending
 * @param columns panels in a row
 * @param panels row by row; each row full
 */
public record Figure(String name, int columns, List<Panel> panels) {
  public Figure {
    panels = List.copyOf(panels);
    if (panels.isEmpty() || panels.size() % columns != 0) {
      throw new IllegalArgumentException(name + ": " + panels.size() + " panels do not fill rows of " + columns);
    }
  }

  /** One panel. */
  public Figure(String name, Panel panel) {
    this(name, 1, List.of(panel));
  }
}
