package dev.lamina.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class SuccessiveHalvingTest {

  private static Outcome outcome(int trial, double accuracy) {
    Outcome.End end = Double.isNaN(accuracy) ? Outcome.End.DIVERGED : Outcome.End.FINISHED;
    return new Outcome(trial, 1, 1, end, accuracy, Double.NaN, 1 - accuracy, 1, 100, List.of(accuracy), 0, "");
  }

  /** Accuracies in an order of no meaning; every seventh diverges. */
  private static double accuracy(int trial) {
    return trial % 7 == 3 ? Double.NaN : (trial * 37 % 101) / 101.0;
  }

  @Test
  void withOneRungEachTrialIsDoneOnceInOrder() {
    var order = new SuccessiveHalving(5, 1, 3);
    for (int trial = 0; trial < 5; trial++) {
      assertEquals(Optional.of(new SuccessiveHalving.Job(trial, 0)), order.next());
    }
    assertTrue(order.next().isEmpty());
  }

  /** Four work at once and end in any order. */
  @Test
  void onlyThoseAmongTheBestShareArePromotedAndNobodyWaitsForWork() {
    for (int seed = 0; seed < 20; seed++) {
      int trials = 60;
      var random = new SplittableRandom(seed);
      var order = new SuccessiveHalving(trials, 4, 3);
      List<SuccessiveHalving.Job> running = new ArrayList<>();
      Map<Integer, List<Integer>> ended = new HashMap<>();
      Map<Integer, List<Integer>> begun = new HashMap<>();
      while (true) {
        Optional<SuccessiveHalving.Job> job = running.size() < 4 ? order.next() : Optional.empty();
        if (job.isPresent()) {
          int rung = job.get().rung();
          int trial = job.get().trial();
          assertFalse(begun.computeIfAbsent(rung, _ -> new ArrayList<>()).contains(trial), "no trial twice on a rung");
          if (rung > 0) {
            List<Integer> below = ended.get(rung - 1);
            assertTrue(
                best(below, below.size() / 3).contains(trial), trial + " is not among the best third of " + below);
          }
          begun.get(rung).add(trial);
          running.add(job.get());
          continue;
        }
        boolean allBegun = begun.getOrDefault(0, List.of()).size() == trials;
        assertTrue(running.size() == 4 || allBegun, "somebody waits while there are trials to begin");
        if (running.isEmpty()) {
          break;
        }
        SuccessiveHalving.Job done = running.remove(random.nextInt(running.size()));
        ended.computeIfAbsent(done.rung(), _ -> new ArrayList<>()).add(done.trial());
        order.ended(done, outcome(done.trial() + 1, accuracy(done.trial())));
      }
      for (int rung = 0; rung < 3; rung++) {
        List<Integer> here = ended.get(rung);
        assertTrue(ended.get(rung + 1).containsAll(best(here, here.size() / 3)), "the best third of all goes on");
      }
    }
  }

  /** One after the other, the best first: nothing is promoted by mistake, so exactly a third goes on. */
  @Test
  void exactlyAThirdOfThoseThatComeInOrderGoesOn() {
    var order = new SuccessiveHalving(27, 4, 3);
    int[] counts = new int[4];
    for (Optional<SuccessiveHalving.Job> job = order.next(); job.isPresent(); job = order.next()) {
      counts[job.get().rung()]++;
      order.ended(job.get(), outcome(job.get().trial() + 1, 1 - job.get().trial() / 100.0));
    }
    assertEquals(List.of(27, 9, 3, 1), List.of(counts[0], counts[1], counts[2], counts[3]));
  }

  private static List<Integer> best(List<Integer> trials, int count) {
    return trials.stream()
        .sorted(
            Comparator.comparingDouble((Integer trial) -> Double.isNaN(accuracy(trial)) ? 1 : -accuracy(trial))
                .thenComparing(Comparator.naturalOrder()))
        .limit(count)
        .filter(trial -> !Double.isNaN(accuracy(trial)))
        .toList();
  }
}
