package dev.lamina.study;

import dev.lamina.nn.Layer;
import java.util.List;

/** An experiment that reproduces a published claim, or finds that it does not. */
public interface Study {

  /** What {@code lamina study} calls it, for example {@code he-vs-xavier}. */
  String name();

  /** What is claimed, in one line. */
  String claim();

  /** Where it is claimed: paper and section, or course. */
  String source();

  /** About how long it takes by default on two cores, for example {@code 1 min}. */
  String duration();

  /**
   * Activations whose {@link Setting#times} it shows, if there are any; none for most experiments.
   *
   * @param quick whether for a quick run
   */
  default List<Layer> timed(boolean quick) {
    return List.of();
  }

  /** Runs the experiment and compares what comes out with the claim. */
  Findings run(Setting setting);
}
