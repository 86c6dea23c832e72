package dev.lamina.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.train.recipe.YamlNode;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CaveatsTest {

  /** A search of the rates with accuracies in their order. */
  private static List<String> findings(String settings, long examples, double[] rates, double[] accuracies) {
    String choice = "space: {lr: {log_uniform: [1e-4, 1]}}\nepochs: 1\ntrials: " + rates.length + "\n" + settings;
    SearchPlan plan = Plans.parse("search", choice);
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
    return Caveats.of(new SearchReport(plan, trials, outcomes, false));
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

  /** The warnings of a search of one place whose best value is {@code best}. */
  private static List<String> edges(String path, String range, String best) {
    String text = "recipe: {model: [flatten, {dense: 8}, {dropout: 0.1}, {dense: 3}]}\nepochs: 1\ntrials: 1\n";
    SearchPlan plan = Plans.parse("search", text + "space: {\"" + path + "\": " + range + "}");
    double number = plan.space().parameters().getFirst().range() instanceof Interval ? Double.parseDouble(best) : -1;
    Value value = new Value(new YamlNode.Scalar(best, ""), number);
    Trial trial = new Trial(1, 1, List.of(value), plan.trials(1, plan.space()).getFirst().recipe());
    Outcome outcome = new Outcome(1, 1, 1, Outcome.End.FINISHED, 0.9, Double.NaN, 1, 1, 100_000, List.of(), 0, "");
    return Caveats.of(new SearchReport(plan, List.of(trial), List.of(outcome), false));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "batch | {choice: [64, 32, 128]} | 32 | search lower",
        "batch | {choice: [64, 32, 128]} | 128 | search higher",
        "lr | {choice: [1, 2]} | 1 | search lower",
        "lr | {choice: [1e-1, 1e-2, 1e-3]} | 1e-3 | search lower",
        "lr | {log_uniform: [1e-4, 1]} | 1.1e-4 | search lower",
        "lr | {uniform: [0.01, 1]} | 0.99 | search higher",
        "'model[2].dropout' | {uniform: [0, 0.5]} | 0.49 | search higher",
        "'model[1].dense' | {integer: [8, 64]} | 9 | search lower",
        "optimizer.l2 | {uniform: [0, 0.1]} | 0.1 | search higher"
      })
  void aBestAtAnEndBeyondWhichThereIsMoreIsWarnedOf(String path, String range, String best, String words) {
    List<String> findings = edges(path, range, best);
    assertEquals(1, findings.size());
    assertTrue(findings.getFirst().startsWith("the best " + path + ", " + best + ", lies at the "), findings::toString);
    assertTrue(findings.getFirst().endsWith(words), findings::toString);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "batch | {choice: [32, 64, 128]} | 64",
        "batch | {choice: [32]} | 32",
        "batch | {choice: [full, 32, 64]} | 64",
        "optimizer | {choice: [sgd, adam]} | adam",
        "'model[2].dropout' | {uniform: [0, 0.5]} | 0.01",
        "'model[2].dropout' | {choice: [0, 0.2, 0.5]} | 0",
        "optimizer.l2 | {uniform: [0, 0.1]} | 0",
        "'model[1].dense' | {integer: [1, 64]} | 1",
        "batch | {choice: [1, 2, 4]} | 1"
      })
  void namesHaveNoEndsAndWhereNoRecipeGoesOnThereIsNothingToSearch(String path, String range, String best) {
    assertEquals(List.of(), edges(path, range, best));
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
