package dev.lamina.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.train.LayerStatistics.Histogram;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DiagnosisTest {
  private final List<String> said = new ArrayList<>();
  private final Diagnosis diagnosis = new Diagnosis(said::add);

  private static LayerStatistics relu(double... peaks) {
    List<Double> units = java.util.Arrays.stream(peaks).boxed().toList();
    return new LayerStatistics(
        "relu1", "relu", 0, 1, 0, 1, 0, Double.NaN, Double.NaN, units, new Histogram(0, 1, List.of()));
  }

  private static WeightStatistics weight(String name, double gradient, double update) {
    return new WeightStatistics(name, 1, gradient, update);
  }

  private void epoch(ModelStatistics... looks) {
    for (ModelStatistics look : looks) {
      diagnosis.observed(look);
    }
    Evaluation figures = new Evaluation(1, 1, 1, Double.NaN, new long[0][0]);
    diagnosis.epochEnded(new EpochReport(1, 1, 1, 1, figures, null, true, 1, 1));
  }

  private static ModelStatistics look(LayerStatistics layer, WeightStatistics... weights) {
    return new ModelStatistics(1, 1, 10, List.of(layer), List.of(weights));
  }

  @Test
  void aUnitThatLivedOnceInTheSecondHalfOfTheEpochIsNotDead() {
    ModelStatistics nobody = look(relu(0, 0, 0));
    epoch(nobody, nobody, nobody, look(relu(0, 0, 1)), look(relu(0.1, 0, 0)), look(relu(0, 0.1, 0)));
    assertEquals(List.of(), said);
    ModelStatistics all = look(relu(1, 1, 1));
    epoch(all, all, all, look(relu(0, 0, 1)), nobody, look(relu(0, 0.1, 0)));
    assertEquals(1, said.size());
    String words = "relu1: 33 % of its 3 units were zero for all of the 30 examples looked at in the second half";
    assertTrue(said.getFirst().startsWith(words), said::toString);
  }

  @Test
  void updatesThatAreTooLargeOrTooSmallAreToldOf() {
    epoch(look(relu(1), weight("a.weight", 1, 1e-3), weight("a.bias", 1, 5), weight("b.weight", 1, 0.5)));
    assertEquals(1, said.size(), said::toString);
    assertTrue(said.getFirst().contains("b.weight") && said.getFirst().contains("lower"), said::toString);
    said.clear();
    epoch(look(relu(1), weight("c.weight", 1, 1e-8)), look(relu(1), weight("c.weight", 1, 1e-7)));
    assertTrue(said.size() == 1 && said.getFirst().contains("raise the learning rate"), said::toString);
  }

  @Test
  void aWeightThatNoGradientReachesIsNotHelpedByAHigherRate() {
    epoch(look(relu(0), weight("a.weight", 0, 0)));
    assertTrue(said.size() == 1 && said.getFirst().contains("dead"), said::toString);
  }

  @Test
  void aGradientThatVanishesIsToldOf() {
    epoch(look(relu(1), weight("a.weight", 1e-7, 1e-3), weight("b.weight", 1e-1, 1e-3)));
    assertTrue(said.size() == 1 && said.getFirst().contains("vanishes"), said::toString);
  }

  @Test
  void anEpochWithoutALookSaysNothing() {
    epoch();
    assertEquals(List.of(), said);
  }
}
