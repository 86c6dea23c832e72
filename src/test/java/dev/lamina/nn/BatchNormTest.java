package dev.lamina.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.tensor.Shape;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class BatchNormTest {
  private static final int N = 12;
  private static final int C = 2;

  private final double[] x = new SplittableRandom(5).doubles(N * C, -3, 4).toArray();

  private double mean(int channel) {
    double sum = 0;
    for (int i = channel; i < x.length; i += C) {
      sum += x[i];
    }
    return sum / N;
  }

  private double variance(int channel) {
    double sum = 0;
    for (int i = channel; i < x.length; i += C) {
      sum += (x[i] - mean(channel)) * (x[i] - mean(channel));
    }
    return sum / N;
  }

  @Test
  void trainingBringsEachChannelToMeanZeroAndVarianceOne() {
    for (Shape shape : new Shape[] {Shape.of(N, C), Shape.of(2, 3, 2, C)}) {
      double[] y = new LayerRun(new BatchNorm()).run(shape, x).output();
      for (int i = 0; i < y.length; i++) {
        assertEquals((x[i] - mean(i % C)) / Math.sqrt(variance(i % C) + 1e-5), y[i], 1e-13);
      }
    }
  }

  @Test
  void withTheBatchsOwnDeviationAndMeanItGivesItsInputBack() {
    double[] gamma = {Math.sqrt(variance(0) + 1e-5), Math.sqrt(variance(1) + 1e-5)};
    LayerRun run = new LayerRun(new BatchNorm()).set("weight", gamma).set("bias", mean(0), mean(1));
    assertArrayEquals(x, run.run(Shape.of(N, C), x).output(), 1e-13);
  }

  @Test
  void runningStatisticsFollowWithTheUnbiasedVariance() {
    LayerRun run = new LayerRun(new BatchNorm(1e-5, 0.3)).set("running_mean", 1, -1).set("running_var", 2, 4);
    LayerRun.Result result = run.run(Shape.of(N, C), x);
    assertArrayEquals(
        new double[] {0.7 + 0.3 * mean(0), -0.7 + 0.3 * mean(1)}, result.state().get("running_mean"), 1e-14);
    double unbiased = N / (N - 1.0);
    assertArrayEquals(
        new double[] {1.4 + 0.3 * unbiased * variance(0), 2.8 + 0.3 * unbiased * variance(1)},
        result.state().get("running_var"),
        1e-14);
  }

  @Test
  void evaluationUsesTheRunningStatisticsAndLeavesThem() {
    LayerRun run =
        new LayerRun(new BatchNorm())
            .evaluation()
            .set("running_mean", 1, -1)
            .set("running_var", 2, 4)
            .set("weight", 3, 0.5)
            .set("bias", 0.1, 0.2);
    LayerRun.Result result = run.run(Shape.of(2, 3, 2, C), x);
    for (int i = 0; i < x.length; i += C) {
      assertEquals((x[i] - 1) / Math.sqrt(2 + 1e-5) * 3 + 0.1, result.output()[i], 1e-13);
      assertEquals((x[i + 1] + 1) / Math.sqrt(4 + 1e-5) * 0.5 + 0.2, result.output()[i + 1], 1e-13);
    }
    assertArrayEquals(new double[] {1, -1}, result.state().get("running_mean"));
    assertArrayEquals(new double[] {2, 4}, result.state().get("running_var"));
  }

  @Test
  void aSingleValueHasNoVarianceToTrainWith() {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> new LayerRun(new BatchNorm()).run(Shape.of(1, 2), 1, 2));
    assertTrue(e.getMessage().contains("use a larger batch"), e.getMessage());
    assertEquals(2, new LayerRun(new BatchNorm()).evaluation().run(Shape.of(1, 2), 1, 2).output().length);
  }
}
