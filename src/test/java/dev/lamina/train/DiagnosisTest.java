package dev.lamina.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.train.Diagnosis.Finding;
import dev.lamina.train.LayerStatistics.Histogram;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class DiagnosisTest {
  private static final double NONE = Double.NaN;

  private final List<Finding> findings = new ArrayList<>();
  private final Diagnosis diagnosis = new Diagnosis(1, findings::add);
  private int epoch;

  private static LayerStatistics layer(String path, String kind, double zeros, double saturated, double... peaks) {
    List<Double> units = java.util.Arrays.stream(peaks).boxed().toList();
    Histogram histogram = new Histogram(0, 1, List.of());
    return new LayerStatistics(path, kind, 0, 1, 0, 1, zeros, saturated, NONE, units, histogram, histogram);
  }

  private static LayerStatistics relu(double... peaks) {
    return layer("relu1", "relu", 0, NONE, peaks);
  }

  private static WeightStatistics weight(String name, double gradient, double update) {
    return new WeightStatistics(name, 1, gradient, update);
  }

  /** Shows an epoch, and ends it at {@code rate}. What is suspected is found to have {@code dead} of 100 units. */
  private Set<String> epoch(double rate, int dead, ModelStatistics... looks) {
    epoch++;
    for (ModelStatistics look : looks) {
      diagnosis.observed(new ModelStatistics(look.step(), epoch, look.examples(), look.layers(), look.weights()));
    }
    Set<String> suspects = diagnosis.suspects();
    suspects.forEach(layer -> diagnosis.surveyed(new DeadUnits(layer, 100, dead, 55_000)));
    Evaluation figures = new Evaluation(1, 1, 1, Double.NaN, new long[0][0]);
    diagnosis.epochEnded(new EpochReport(epoch, 9, 10L * epoch, rate, figures, null, true, 1, 1));
    return suspects;
  }

  private Set<String> epoch(ModelStatistics... looks) {
    return epoch(1, 100, looks);
  }

  private List<String> said() {
    return findings.stream().map(Finding::words).toList();
  }

  private static ModelStatistics look(LayerStatistics layer, WeightStatistics... weights) {
    return new ModelStatistics(1, 1, 10, List.of(layer), List.of(weights));
  }

  @Test
  void aUnitThatLivedOnceInTheSecondHalfOfTheEpochIsNotSuspected() {
    ModelStatistics nobody = look(relu(0, 0, 0));
    assertEquals(
        Set.of(), epoch(nobody, nobody, nobody, look(relu(0, 0, 1)), look(relu(0.1, 0, 0)), look(relu(0, 0.1, 0))));
    ModelStatistics all = look(relu(1, 1, 1));
    assertEquals(Set.of("relu1"), epoch(all, all, all, look(relu(0, 0, 1)), nobody, look(relu(0, 0.1, 0))));
  }

  @Test
  void whatAllExamplesHaveShownIsTold() {
    assertEquals(Set.of("relu1"), epoch(1, 61, look(relu(0, 0, 1))));
    String words =
        "relu1: 61 % of its 100 units were zero for every one of the 55,000 examples of the epoch, with the weights at"
            + " its end: dead ReLU; lower the learning rate or try LeakyReLU";
    assertEquals(List.of(new Finding("relu1 dead", words, 1, 10)), findings);
    assertEquals(Set.of(), epoch(1, 61, look(relu(0, 0, 1))), "told already");
  }

  @Test
  void suspicionAloneIsNotTold() {
    diagnosis.observed(look(relu(0, 0, 0)));
    assertEquals(Set.of("relu1"), diagnosis.suspects());
    Evaluation figures = new Evaluation(1, 1, 1, Double.NaN, new long[0][0]);
    diagnosis.epochEnded(new EpochReport(1, 9, 10, 1, figures, null, true, 1, 1));
    assertEquals(List.of(), said());
    assertEquals(Set.of("relu1"), epoch(1, 100, look(relu(0, 0, 0))), "nobody has looked yet");
    assertEquals(1, said().size());
  }

  /** Each suspicion costs a pass over all examples. */
  @Test
  void aLayerThatWasClearedIsSuspectedMoreAndMoreSeldom() {
    List<Integer> suspected = new ArrayList<>();
    for (int i = 1; i <= 9; i++) {
      if (!epoch(1, 30, look(relu(0, 0, 0))).isEmpty()) {
        suspected.add(i);
      }
    }
    assertEquals(List.of(1, 2, 4, 8), suspected);
    assertEquals(List.of(), said());
  }

  @Test
  void whatTheUnitsOfARecurrentLayerMayTryIsAnother() {
    epoch(look(layer("rnn1", "rnn", NONE, NONE, 0, 0)));
    assertTrue(said().getFirst().endsWith("dead ReLU; lower the learning rate or try tanh"), said()::toString);
  }

  @Test
  void saturationIsToldOfActivationsAndOfGates() {
    epoch(look(layer("sigmoid1", "sigmoid", 0, 0.6)));
    epoch(look(layer("lstm1", "lstm", NONE, 0.7)));
    assertEquals(2, said().size());
    assertTrue(said().getFirst().startsWith("sigmoid1: 60 % of its inputs lay beyond ±5"), said()::toString);
    assertTrue(said().getLast().startsWith("lstm1: 70 % of what its sigmoids and tanhs were given"), said()::toString);
  }

  @Test
  void updatesThatAreTooLargeOrTooSmallAreToldOf() {
    epoch(look(relu(1), weight("a.weight", 1, 1e-3), weight("a.bias", 1, 5), weight("b.weight", 1, 0.5)));
    assertEquals(1, said().size(), said()::toString);
    assertTrue(said().getFirst().contains("b.weight") && said().getFirst().contains("lower"), said()::toString);
    findings.clear();
    epoch(look(relu(1), weight("c.weight", 1, 1e-8)), look(relu(1), weight("c.weight", 1, 1e-7)));
    assertTrue(said().size() == 1 && said().getFirst().contains("raise the learning rate"), said()::toString);
  }

  /** A schedule that ends near zero is meant to. */
  @Test
  void smallUpdatesAtTheEndOfAScheduleAreAsTheyShouldBe() {
    epoch(0.09, 0, look(relu(1), weight("c.weight", 1, 1e-8)));
    assertEquals(List.of(), said());
    epoch(0.5, 0, look(relu(1), weight("c.weight", 1, 1e-8)));
    assertEquals(1, said().size());
  }

  @Test
  void aWeightThatNoGradientReachesIsNotHelpedByAHigherRate() {
    epoch(look(relu(0), weight("a.weight", 0, 0), weight("b.weight", 1, 1e-3)));
    assertTrue(said().size() == 1 && said().getFirst().contains("dead"), said()::toString);
  }

  @Test
  void aGradientThatVanishesIsToldOf() {
    epoch(look(relu(1), weight("a.weight", 1e-7, 1e-9), weight("b.weight", 1e-1, 1e-3)));
    assertTrue(said().size() == 1 && said().getFirst().contains("vanishes"), said()::toString);
  }

  @Test
  void aGradientOfWhichNothingIsLeftHasVanished() {
    epoch(look(relu(1), weight("a.weight", 0, 0), weight("b.weight", 1e-1, 1e-3)));
    assertTrue(said().size() == 1 && said().getFirst().contains("vanishes"), said()::toString);
  }

  @Test
  void aGradientThatGrowsOnTheWayBackIsToldOf() {
    epoch(look(relu(1), weight("a.weight", 90, 1e-3), weight("b.weight", 1e-1, 1e-3)));
    assertEquals(List.of(), said());
    epoch(look(relu(1), weight("a.weight", 110, 1e-3), weight("b.weight", 1e-1, 1e-3)));
    assertEquals(
        List.of(
            "the gradient of a.weight is 1e+02 of its size, that of b.weight 0.1: it explodes on the way back; use"
                + " smaller initial weights or batch norm, or clip gradients"),
        said());
  }

  /** What follows it in the epoch may be a net without any gradient. */
  @Test
  void oneExplosionIsToldOf() {
    WeightStatistics end = weight("b.weight", 0.1, 1e-3);
    ModelStatistics exploded = look(relu(1), weight("a.weight", 1e6, 1e-3), end);
    ModelStatistics quiet = look(relu(1), weight("a.weight", 0, 1e-3), weight("b.weight", 0, 1e-3));
    epoch(exploded, quiet, quiet, quiet);
    assertTrue(said().size() == 1 && said().getFirst().contains("explodes"), said()::toString);
  }

  @Test
  void aTinyFirstWeightIsNoExplosion() {
    WeightStatistics tiny = new WeightStatistics("a.weight", 1e-6, 0.1, 1e-9);
    epoch(look(relu(1), tiny, weight("b.weight", 0.1, 1e-3)));
    assertEquals(List.of(), said());
  }

  @Test
  void aLastLayerWithoutAnyGradientIsNoExplosion() {
    epoch(look(relu(1), weight("a.weight", 1, 1e-3), weight("b.weight", 0, 0)));
    assertEquals(List.of(), said());
  }

  @Test
  void anEpochWithoutALookSaysNothing() {
    assertEquals(Set.of(), epoch());
    assertEquals(List.of(), said());
  }
}
