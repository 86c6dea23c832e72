package dev.lamina.search;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a search found.
 *
 * @param plan that was followed
 * @param trials of all stages that were begun, by number
 * @param outcomes in the order in which trials ended; with successive halving several of one trial
 * @param isInterrupted whether it was stopped before all were done
 */
public record SearchReport(SearchPlan plan, List<Trial> trials, List<Outcome> outcomes, boolean isInterrupted) {
  public SearchReport {
    trials = List.copyOf(trials);
    outcomes = List.copyOf(outcomes);
  }

  /** The last outcome of each trial, by number. */
  public List<Outcome> last() {
    return last(outcomes);
  }

  static List<Outcome> last(List<Outcome> outcomes) {
    Map<Integer, Outcome> byTrial = new LinkedHashMap<>();
    for (Outcome outcome : outcomes) {
      byTrial.merge(outcome.trial(), outcome, (a, b) -> b.epochs() >= a.epochs() ? b : a);
    }
    return byTrial.values().stream().sorted(Comparator.comparingInt(Outcome::trial)).toList();
  }

  /** The best trial's outcome; empty if none came to an end. */
  public Optional<Outcome> best() {
    return last().stream().filter(Outcome::isGood).min(Outcome.BEST_FIRST);
  }

  /** The trial of an outcome; numbers leave gaps where the grid of a later stage has fewer points. */
  public Trial trial(Outcome outcome) {
    return trials.stream().filter(trial -> trial.number() == outcome.trial()).findFirst().orElseThrow();
  }
}
