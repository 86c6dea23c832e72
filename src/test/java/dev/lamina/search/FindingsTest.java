package dev.lamina.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FindingsTest {

  /** A search of the rates with accuracies in their order. */
  private static List<String> findings(String settings, long examples, double[] rates, double[] accuracies) {
    String choice = "space: {lr: {log_uniform: [1e-4, 1]}}\nepochs: 1\ntrials: " + rates.length + "\n" + settings;
    SearchPlan plan = new SearchText().parse("search", choice);
    List<Trial> drawn = plan.trials(1, plan.space());
    List<Trial> trials =
        IntStream.range(0, rates.length)
            .mapToObj(i ->
                new Trial(
                    i + 1,
                    1,
                    List.of(new Value(drawn.get(i).values().getFirst().node(), rates[i])),
                    drawn.get(i).recipe()))
            .toList();
    List<Outcome> outcomes =
        IntStream.range(0, rates.length)
            .mapToObj(i ->
                new Outcome(
                    i + 1, 1, 1, Outcome.End.FINISHED, accuracies[i], Double.NaN, 1, 1, examples, List.of(), 0, ""))
            .toList();
    return Findings.of(new SearchReport(plan, trials, outcomes, false));
  }

  @Test
  void aBestInTheOuterTenthIsWarnedOfInPowersOfTen() {
    // Four powers of ten: the outer tenth ends at 10^-3.6 = 2.5e-4, and begins at 10^-0.4 = 0.398.
    assertTrue(
        findings("", 100_000, new double[] {2.4e-4, 0.1}, new double[] {0.9, 0.5}).getFirst().contains("lower edge"));
    assertTrue(
        findings("", 100_000, new double[] {0.41, 0.1}, new double[] {0.9, 0.5}).getFirst().contains("upper edge"));
    assertEquals(List.of(), findings("", 100_000, new double[] {2.6e-4, 1}, new double[] {0.9, 0.5}));
    assertEquals(List.of(), findings("", 100_000, new double[] {0.39, 1}, new double[] {0.9, 0.5}));
  }

  @Test
  void aBestThatWasJudgedOnceOnFewExamplesIsWarnedOf() {
    double[] rates = {0.01, 0.1, 0.2};
    // √(0.9·0.1/10000) is 0.3 %: 0.5 % is nothing, 5 % is something.
    List<String> near = findings("", 10_000, rates, new double[] {0.9, 0.895, 0.5});
    assertTrue(near.getFirst().contains("±0.60 %") && near.getFirst().contains("1 other trial lies"), near.toString());
    assertEquals(List.of(), findings("", 10_000, rates, new double[] {0.9, 0.85, 0.5}));
    List<String> few = findings("", 200, rates, new double[] {0.9, 0.5, 0.5});
    assertTrue(few.getFirst().contains("judged once, on 200 examples"), few.toString());
    assertEquals(List.of(), findings("folds: 5", 200, rates, new double[] {0.9, 0.5, 0.5}));
  }
}
