package dev.lamina.search;

import java.util.List;

/** The values that one place of a recipe may take. */
public sealed interface Range permits Interval, Choice {

  /**
   * The value for a random number.
   *
   * @param u evenly from [0, 1)
   */
  Value draw(double u);

  /** How many values a grid has; 0 if nobody said so. */
  int points();

  /** The values of a grid, in order; {@link #points} of them. */
  List<Value> grid();

  /**
   * A part of this range around values that did well: coarse to fine. It is never wider than this one.
   *
   * @param best values of this range, at least one
   */
  Range around(List<Value> best);
}
