package dev.lamina.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.data.Dataset;
import dev.lamina.data.Preprocessing;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.loss.MeanSquaredError;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Layer;
import dev.lamina.nn.init.Constant;
import dev.lamina.optim.Sgd;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import dev.lamina.train.LearningRateFinder.Point;
import dev.lamina.train.LearningRateFinder.Range;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The range test on losses whose limits are known. */
class LearningRateFinderTest {
  private static final double FALL_BEGINS = 1e-4;
  private static final double FALL_ENDS = 3e-2;

  private final Arena arena = Arena.ofShared();
  private final Device device = new Devices().open("reference", DeviceOptions.DEFAULT);

  @AfterEach
  void close() {
    device.close();
    arena.close();
  }

  /** Eight times the same example (x, 0): the loss of one weight is x²·w², whose second derivative is 2x². */
  private Dataset parabola(double x) {
    HostTensor inputs = HostTensor.allocate(arena, TensorType.f32(8, 1)).fill(x);
    return Dataset.withTargets("parabola", inputs, HostTensor.allocate(arena, TensorType.f32(8, 1)));
  }

  private static TrainingOptions options() {
    return TrainingOptions.DEFAULTS
        .with(new MeanSquaredError())
        .with(new Sgd(), 1)
        .with(new dev.lamina.data.BatchSize.Full())
        .withValidationShare(0)
        .with(new Preprocessing.None());
  }

  @ParameterizedTest
  @ValueSource(doubles = {1, 5, 30})
  void onAParabolaTheSuggestionIsStableAndTheLimitIsFound(double x) {
    Layer weight = new Dense(1, new Constant(1), null);
    Range range = new Range(1e-6, 10, 200);
    RateCurve curve = new LearningRateFinder(device, weight, options(), range).run(parabola(x));
    // Gradient descent multiplies w by 1 − rate·2x²; beyond 2 / (2x²) it diverges.
    double limit = 1 / (x * x);
    assertTrue(curve.exploded());
    double end = curve.points().getLast().rate();
    assertTrue(end > limit, end + " is stable");
    RateCurve.Suggestion suggestion = curve.suggestion().orElseThrow();
    assertTrue(suggestion.rate() < limit && suggestion.rate() > limit / 1000, suggestion + " beside " + limit);
    assertTrue(suggestion.steepest() < limit, suggestion + " beside " + limit);
    // w is tiny when the rate passes the limit, and has to come back first.
    assertTrue(end < 20 * limit, "explosion was found at " + end + ", the limit is " + limit);
  }

  @Test
  void theSameSeedGivesTheSameCurve() {
    Dataset data = TinyData.clouds(arena, 120, 0.5, 1);
    TrainingOptions options = TrainingOptions.DEFAULTS.with(new dev.lamina.data.BatchSize.Fixed(16));
    Range range = new Range(1e-4, 100, 40);
    Layer model = new Dense(3);
    RateCurve first = new LearningRateFinder(device, model, options, range).run(data);
    RateCurve second = new LearningRateFinder(device, model, options, range).run(data);
    assertEquals(first, second);
    RateCurve other = new LearningRateFinder(device, model, options.withSeed(9), range).run(data);
    assertFalse(first.equals(other));
    assertEquals(1e-4, first.points().getFirst().rate());
  }

  @Test
  void aLossThatNeverFallsSuggestsNothing() {
    Range range = new Range(1e-12, 1e-9, 20);
    RateCurve curve = new LearningRateFinder(device, new Dense(1), options(), range).run(parabola(1));
    assertFalse(curve.exploded());
    assertEquals(20, curve.points().size());
    assertEquals(Optional.empty(), curve.suggestion());
  }

  @Test
  void rulesAreReadOffTheCurve() {
    double[] losses = {2, 2, 1.9, 1.2, 0.9, 0.8, 0.9, 3};
    List<Point> points =
        IntStream.range(0, losses.length).mapToObj(i -> new Point(Math.pow(10, i - 6), losses[i], losses[i])).toList();
    RateCurve.Suggestion suggestion = new RateCurve(points, true).suggestion().orElseThrow();
    assertEquals(0.1, suggestion.lowest(), 1e-12);
    assertEquals(0.01, suggestion.tenth(), 1e-12);
    assertEquals(1e-3, suggestion.steepest(), 1e-12, "between 1.9 and 0.9");
    assertEquals(1e-3, suggestion.rate(), 1e-12);
  }

  /** The curve of a loss that falls from 2.3 to {@code bottom} between 1e-4 and 3e-2, and grows from 0.3 on. */
  private RateCurve noisy(double bottom, double sigma, int steps, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    return new LearningRateFinder(device, new Dense(1), options(), new Range(1e-6, 10, steps))
        .follow(
            rate -> {
              double share = Math.clamp(Math.log(rate / FALL_BEGINS) / Math.log(FALL_ENDS / FALL_BEGINS), 0, 1);
              double explosion = Math.max(0, 10 * Math.log10(rate / 0.3));
              return 2.3 + share * (bottom - 2.3) + explosion + sigma * random.nextGaussian();
            },
            () -> false);
  }

  @ParameterizedTest
  @CsvSource({"0, 200", "0.12, 200", "0.16, 200", "0.16, 100", "0.16, 60", "0.25, 200"})
  void theSuggestionIsWhereTheLossFallsHoweverBatchesDiffer(double sigma, int steps) {
    int within = 0;
    for (int seed = 0; seed < 1000; seed++) {
      double rate = noisy(0.3, sigma, steps, seed).suggestion().map(RateCurve.Suggestion::rate).orElse(0.0);
      within += rate > FALL_BEGINS && rate < FALL_ENDS ? 1 : 0;
    }
    assertTrue(within >= 990, within + " of 1000 suggestions are within the fall");
  }

  @ParameterizedTest
  @ValueSource(ints = {200, 60})
  void noiseAroundALossThatStaysSuggestsNothing(int steps) {
    int some = 0;
    for (int seed = 0; seed < 1000; seed++) {
      some += noisy(2.3, 0.16, steps, seed).suggestion().isPresent() ? 1 : 0;
    }
    assertTrue(some <= 10, some + " of 1000 curves without a fall have a suggestion");
  }

  @Test
  void rangesThatAreNoneAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new Range(0, 1, 100));
    assertThrows(IllegalArgumentException.class, () -> new Range(1, 1, 100));
    assertThrows(IllegalArgumentException.class, () -> new Range(1, Double.NaN, 100));
    assertThrows(IllegalArgumentException.class, () -> new Range(1, 2, 9));
  }
}
