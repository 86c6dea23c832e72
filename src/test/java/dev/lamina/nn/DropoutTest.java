package dev.lamina.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.tensor.Shape;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class DropoutTest {
  private static final int N = 40_000;
  private static final Shape SHAPE = Shape.of(200, 200);

  private final double[] x = new SplittableRandom(1).doubles(N, 0.5, 2).toArray();

  @Test
  void itDropsTheShareThatItIsTold() {
    for (double rate : new double[] {0.1, 0.5, 0.9}) {
      double[] y = new LayerRun(new Dropout(rate)).run(SHAPE, x).output();
      double dropped = Arrays.stream(y).filter(v -> v == 0).count() / (double) N;
      // Five standard deviations of a share: a right mask fails for one seed in a million, and this seed is fixed.
      assertEquals(rate, dropped, 5 * Math.sqrt(rate * (1 - rate) / N));
    }
  }

  /**
   * Classic dropout multiplies by the mask in training and by 1 − rate at test; the inverted form is that divided by 1
   * − rate, both times.
   */
  @Test
  void itIsTheClassicFormUpToScale() {
    double rate = 0.3;
    double[] training = new LayerRun(new Dropout(rate)).run(SHAPE, x).output();
    double[] test = new LayerRun(new Dropout(rate)).evaluation().run(SHAPE, x).output();
    for (int i = 0; i < N; i++) {
      double mask = training[i] == 0 ? 0 : 1;
      double classicTraining = mask * x[i];
      double classicTest = (1 - rate) * x[i];
      assertEquals(classicTraining / (1 - rate), training[i], 1e-15 * x[i] * 4);
      assertEquals(classicTest / (1 - rate), test[i], 1e-15 * x[i] * 4);
    }
  }

  @Test
  void theGradientPassesWhereTheValueDid() {
    LayerRun.Result result = new LayerRun(new Dropout(0.25)).run(SHAPE, x);
    double[] expected = Arrays.stream(result.output()).map(y -> y == 0 ? 0 : 1 / 0.75).toArray();
    assertArrayEquals(expected, result.gradient(), 1e-15);
  }

  @Test
  void evaluationAndRateZeroChangeNothing() {
    assertArrayEquals(x, new LayerRun(new Dropout(0.5)).evaluation().run(SHAPE, x).output());
    assertArrayEquals(x, new LayerRun(new Dropout(0)).run(SHAPE, x).output());
  }

  @Test
  void masksFollowSeedStepAndPlaceAndNothingElse() {
    double[] first = new LayerRun(new Dropout()).run(SHAPE, x).output();
    assertArrayEquals(first, new LayerRun(new Dropout()).run(SHAPE, x).output());
    assertFalse(Arrays.equals(first, new LayerRun(new Dropout()).step(2).run(SHAPE, x).output()), "another step");
    assertFalse(Arrays.equals(first, new LayerRun(new Dropout()).seed(8).run(SHAPE, x).output()), "another seed");
    Layer named = new Named("other", new Dropout());
    assertFalse(Arrays.equals(first, new LayerRun(named).run(SHAPE, x).output()), "another place");
    Layer twice = new Sequential(new Dropout(), new Dropout());
    double[] both = new LayerRun(twice).run(SHAPE, x).output();
    double kept = Arrays.stream(both).filter(v -> v != 0).count() / (double) N;
    assertEquals(0.25, kept, 5 * Math.sqrt(0.25 * 0.75 / N), "two layers draw apart");
  }

  @Test
  void aNotANumberStaysOneEvenIfDropped() {
    double[] sick = x.clone();
    Arrays.fill(sick, Double.NaN);
    assertTrue(Arrays.stream(new LayerRun(new Dropout()).run(SHAPE, sick).output()).allMatch(Double::isNaN));
  }
}
