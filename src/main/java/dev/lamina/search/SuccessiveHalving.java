package dev.lamina.search;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Which trial to go on with: asynchronous successive halving (Li et al., "A System for Massively Parallel
 * Hyperparameter Tuning", 2018, algorithm 2). A trial that is among the best 1/reduction of those that have ended on
 * its rung goes on to the next one, the highest rung first; where there is none to promote, a new trial begins, so that
 * nobody waits while there are new ones. With one rung it is plain search: each trial once.
 *
 * <p>What it says depends only on which trials have ended where, so it can be told of earlier results after a break.
 */
final class SuccessiveHalving {

  /**
   * A trial to be trained up to a rung.
   *
   * @param trial counted from 0
   * @param rung counted from 0
   */
  record Job(int trial, int rung) {}

  private record Ended(int trial, Outcome outcome) {}

  private final int trials;
  private final int rungs;
  private final int reduction;
  private final List<List<Ended>> ended; // by rung
  private final List<Set<Integer>> begun; // by rung

  SuccessiveHalving(int trials, int rungs, int reduction) {
    this.trials = trials;
    this.rungs = rungs;
    this.reduction = reduction;
    ended = IntStream.range(0, rungs).<List<Ended>>mapToObj(_ -> new ArrayList<>()).toList();
    begun = IntStream.range(0, rungs).<Set<Integer>>mapToObj(_ -> new HashSet<>()).toList();
  }

  /** The next piece of work; empty if there is none until another one has ended, or none any more. */
  Optional<Job> next() {
    for (int rung = rungs - 2; rung >= 0; rung--) {
      for (Ended good : best(rung)) {
        if (begun.get(rung + 1).add(good.trial)) {
          return Optional.of(new Job(good.trial, rung + 1));
        }
      }
    }
    for (int trial = 0; trial < trials; trial++) {
      if (begun.getFirst().add(trial)) {
        return Optional.of(new Job(trial, 0));
      }
    }
    return Optional.empty();
  }

  /** Those that may go on from {@code rung}, the best first. */
  private List<Ended> best(int rung) {
    List<Ended> here = ended.get(rung);
    return here.stream()
        .sorted(Comparator.comparing(Ended::outcome, Outcome.BEST_FIRST))
        .limit(here.size() / reduction)
        .filter(good -> good.outcome.isGood())
        .toList();
  }

  /** A trial has ended on a rung, now or in an earlier run. */
  void ended(Job job, Outcome outcome) {
    begun.get(job.rung).add(job.trial);
    ended.get(job.rung).add(new Ended(job.trial, outcome));
  }
}
