package dev.lamina.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class FitTest {

  private static EpochReport epoch(int number, double loss, double accuracy, double heldLoss, double heldAccuracy) {
    return new EpochReport(
        number, 9, number, 0.1, figures(loss, accuracy), figures(heldLoss, heldAccuracy), false, 1, 1);
  }

  private static Evaluation figures(double loss, double accuracy) {
    return new Evaluation(100, loss, accuracy, Double.NaN, new long[0][0]);
  }

  private static String verdict(EpochReport... epochs) {
    return Fit.verdict(List.of(epochs), 10).orElse("");
  }

  @Test
  void aValidationLossThatRisesWhileTrainingGoesOnIsOverFitting() {
    assertTrue(verdict(epoch(1, 0.5, 0.9, 0.4, 0.9), epoch(2, 0.1, 0.95, 0.6, 0.9)).startsWith("over-fitting"));
  }

  @Test
  void anAccuracyFarAboveThatOfValidationIsOverFitting() {
    assertTrue(verdict(epoch(1, 0.5, 0.9, 0.6, 0.85), epoch(2, 0.1, 0.99, 0.59, 0.86)).startsWith("over-fitting"));
  }

  @Test
  void twoPoorAccuraciesAreUnderFitting() {
    assertTrue(verdict(epoch(1, 2.2, 0.2, 2.2, 0.2), epoch(2, 2.0, 0.3, 2.0, 0.3)).startsWith("under-fitting"));
  }

  @Test
  void figuresThatAreBothGoodNeedNoWord() {
    assertEquals("", verdict(epoch(1, 0.2, 0.95, 0.1, 0.97), epoch(2, 0.1, 0.97, 0.09, 0.98)));
  }

  @Test
  void examplesHeldOutThatFareBetterThanThoseLearnedFromAreNoOverFitting() {
    assertEquals("", verdict(epoch(1, 2.9, 0.8, 0.0068, 0.97), epoch(2, 1.95, 0.85, 0.0103, 0.97)));
    assertEquals("", verdict(epoch(1, 0.4, 0.87, 1e-7, 1), epoch(2, 1e-7, 1, 2e-6, 1)));
  }

  @Test
  void oneEpochAndNoValidationSayNothing() {
    assertEquals("", verdict(epoch(1, 2.2, 0.2, 2.2, 0.2)));
    EpochReport alone = new EpochReport(2, 9, 2, 0.1, figures(2.2, 0.1), null, false, 1, 1);
    assertEquals(Optional.empty(), Fit.verdict(List.of(alone, alone), 10));
  }
}
