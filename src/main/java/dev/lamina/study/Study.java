package dev.lamina.study;

import dev.lamina.nn.Layer;
import java.util.List;
import java.util.function.Function;

/**
 * An experiment that reproduces a published claim, or finds that it does not.
 *
 * @param name what {@code lamina study} calls it, for example {@code he-vs-xavier}
 * @param claim what is claimed, in one line
 * @param source where it is claimed: paper and section, or course
 * @param duration about how long it takes by default on two cores, for example {@code 1 min}
 * @param experiment does it and compares what comes out with the claim
 * @param takesData whether it learns from data; some make their own numbers
 * @param timed activations whose {@link Setting#times} it shows, if there are any; none for most experiments
 * @param timedQuickly those of a quick run
 */
public record Study(
    String name,
    String claim,
    String source,
    String duration,
    Function<Setting, Findings> experiment,
    boolean takesData,
    List<Layer> timed,
    List<Layer> timedQuickly) {

  /** One that learns from data and shows no times. */
  public Study(String name, String claim, String source, String duration, Function<Setting, Findings> experiment) {
    this(name, claim, source, duration, experiment, true, List.of(), List.of());
  }

  /** The same as one that makes its own numbers. */
  public Study withoutData() {
    return new Study(name, claim, source, duration, experiment, false, timed, timedQuickly);
  }

  /** The same as one that shows times of activations, in a quick run those of {@code quickly}. */
  public Study timing(List<Layer> activations, List<Layer> quickly) {
    return new Study(name, claim, source, duration, experiment, takesData, activations, quickly);
  }

  /** Activations whose {@link Setting#times} it shows. */
  public List<Layer> timed(boolean quick) {
    return quick ? timedQuickly : timed;
  }

  /** Runs the experiment and compares what comes out with the claim. */
  public Findings run(Setting setting) {
    return experiment.apply(setting);
  }
}
