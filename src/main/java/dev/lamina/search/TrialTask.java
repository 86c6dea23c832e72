package dev.lamina.search;

import java.util.Optional;
import java.util.function.BooleanSupplier;

/** What is done with a trial. Several may be under way at once, on threads of their own. */
@FunctionalInterface
public interface TrialTask {

  /**
   * Trains a trial, or goes on with one that was begun.
   *
   * @param epochs after which it is to be judged
   * @param stop asked now and then: whether to save what was done and to return
   * @return the outcome; empty if it was stopped before
   */
  Optional<Outcome> run(Trial trial, int epochs, BooleanSupplier stop);
}
