package dev.lamina.study.experiments;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.data.Dataset;
import dev.lamina.data.Mnist;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.io.BadInputException;
import dev.lamina.nn.init.Initializer;
import dev.lamina.study.ConfidenceInterval;
import dev.lamina.study.Course;
import dev.lamina.study.Setting;
import dev.lamina.study.Settings;
import dev.lamina.study.Table;
import dev.lamina.study.Tuning;
import dev.lamina.study.Verdict;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Criteria against figures for which the answer is known: a study must be able to fail. */
class JudgementsTest {
  private static final double GUESSING = Math.log(10);

  private static List<Boolean> outcomes(List<Verdict> verdicts) {
    return verdicts.stream().map(Verdict::reproduced).toList();
  }

  @Test
  void anIntervalIsStudents() {
    // Mean 3, deviation √2.5; the quantile for 4 degrees of freedom is 2.776.
    double half = 2.776 * Math.sqrt(2.5 / 5);
    ConfidenceInterval interval = ConfidenceInterval.of(1, 2, 3, 4, 5);
    assertArrayEquals(
        new double[] {3 - half, 3, 3 + half}, new double[] {interval.low(), interval.mean(), interval.high()}, 1e-12);
    assertEquals(
        new ConfidenceInterval(1, 1, 1),
        ConfidenceInterval.ofDifference(new double[] {2, 5, 9}, new double[] {1, 4, 8}));
    assertThrows(IllegalArgumentException.class, () -> ConfidenceInterval.of(1));
    assertThrows(IllegalArgumentException.class, () -> ConfidenceInterval.of(new double[21]));
  }

  @Test
  void theIntervalOfARatioIsThatOfItsLogarithm() {
    ConfidenceInterval scattered =
        ConfidenceInterval.ofRatio(new double[] {1, 2, 4, 8, 16}, new double[] {1, 1, 1, 1, 1});
    // Logarithms 0 to 4 in units of ln 2: mean 2, deviation √2.5, over √5 that is √½.
    double half = 2.776 * Math.sqrt(0.5);
    assertArrayEquals(
        new double[] {Math.pow(2, 2 - half), 4, Math.pow(2, 2 + half)},
        new double[] {scattered.low(), scattered.mean(), scattered.high()},
        1e-9);
  }

  private static List<DropoutStudy.Outcome> trained(double... testAccuracies) {
    return Arrays.stream(testAccuracies)
        .mapToObj(accuracy -> new DropoutStudy.Outcome(1, accuracy, 0.1, 1.1 - accuracy))
        .toList();
  }

  @Test
  void aGapIsNarrowerIfTheIntervalOfTheDifferenceSaysSo() {
    var outcome = new DropoutStudy.Outcome(0.99, 0.9, 0.1, 0.4);
    assertEquals(9, outcome.accuracyGap(), 1e-12);
    assertEquals(0.3, outcome.lossGap(), 1e-12);
    var without = trained(0.90, 0.91, 0.92);
    assertEquals(List.of(true, true), outcomes(DropoutStudy.verdicts(without, trained(0.92, 0.93, 0.94))));
    assertEquals(List.of(false, false), outcomes(DropoutStudy.verdicts(without, trained(0.90, 0.95, 0.92))));
    assertEquals(List.of(false, false), outcomes(DropoutStudy.verdicts(without, trained(0.88, 0.89, 0.90))));
  }

  /** Thirty layers whose deviations shrink by {@code factor} a layer. */
  private static HeVersusXavier.Outcome start(double last, DoubleUnaryOperator deviation) {
    double[] deviations = IntStream.rangeClosed(1, 30).mapToDouble(layer -> deviation.applyAsDouble(layer)).toArray();
    return new HeVersusXavier.Outcome(0.01, new double[] {GUESSING, last}, deviations);
  }

  private static List<Boolean> judged(double he, double xavier, DoubleUnaryOperator deviation) {
    var good = start(0.3, _ -> 1);
    var stalled = start(GUESSING, layer -> Math.pow(0.5, layer / 2));
    return outcomes(
        HeVersusXavier.verdicts(
            GUESSING, List.of(good, start(he, _ -> 1)), List.of(stalled, start(xavier, deviation))));
  }

  @Test
  void oneSeedOfHeOrXavierThatGoesAnotherWayIsEnough() {
    DoubleUnaryOperator theory = layer -> Math.pow(0.5, layer / 2);
    assertEquals(List.of(true, true, true), judged(0.5, 0.99 * GUESSING, theory));
    assertEquals(List.of(false, true, true), judged(1.2, 2.3, theory));
    assertEquals(List.of(false, true, true), judged(Double.NaN, 2.3, theory), "diverged");
    assertEquals(List.of(true, false, true), judged(0.5, 1.8, theory));
    assertEquals(List.of(true, false, true), judged(0.5, Double.NaN, theory));
    var lost = start(Double.NaN, theory);
    var stalled = start(GUESSING, theory);
    var he = start(0.3, _ -> 1);
    assertEquals(
        List.of(true, false, true),
        outcomes(HeVersusXavier.verdicts(GUESSING, List.of(he, he, he), List.of(stalled, lost, stalled))));
    assertEquals(
        List.of(true, true, false),
        judged(0.5, 2.3, layer -> theory.applyAsDouble(layer) * (layer == 17 ? 1.21 : 1)),
        "one layer");
    assertEquals(
        List.of(true, true, false), judged(0.5, 2.3, layer -> layer == 3 ? 0 / 0.0 : theory.applyAsDouble(layer)));
  }

  @Test
  void aRateThatDivergesIsNotTheBest() {
    double[] rates = {0.001, 0.01, 0.03, 0.3};
    double[] losses = {Double.NaN, 1.5, 0.2, 0.2};
    assertEquals(0.03, Tuning.lowest(rates, rate -> losses[Arrays.binarySearch(rates, rate)]), "the first of the best");
    double[] accuracies = {0, 0.5, Double.NaN, 0.4};
    assertEquals(0.01, Tuning.highest(rates, rate -> accuracies[Arrays.binarySearch(rates, rate)]));
    assertEquals(0.001, Tuning.lowest(rates, _ -> Double.NaN), "there is none");
  }

  @Test
  void aRatioWhoseIntervalReachesDownToOneIsNone() {
    assertTrue(ReluVersusTanh.verdict("tanh", new ConfidenceInterval(1.01, 2, 4), true, true).reproduced());
    assertFalse(
        ReluVersusTanh.verdict("tanh", new ConfidenceInterval(1.01, 2, 4), false, true).reproduced(), "censored");
    Verdict missed = ReluVersusTanh.verdict("tanh", new ConfidenceInterval(0.99, 2, 4), true, false);
    assertFalse(missed.reproduced());
    assertTrue(missed.measured().endsWith("so it is more"), missed.measured());
  }

  @Test
  void randomMustWinInNearlyAllBootstraps() {
    List<Verdict> verdicts = RandomVersusGrid.verdicts(new int[] {1, 2, 4}, new double[] {0, 0.949, 0.95});
    assertEquals(List.of(false, false, true), outcomes(verdicts));
    assertTrue(verdicts.get(1).criterion().contains("2 random trials"));
  }

  @Test
  void theBestResponseIsThatOfTheNearestTrial() {
    double[][][] trials = {{{0.1, 0, 0, 0}, {0.5, 0, 0, 0.9}}};
    double[][] centre = {{0.9, 0, 0, 0}};
    double[][] steep = {{2, 0, 0, 0}};
    try (Device device = new Devices().open("cpu", new DeviceOptions(1))) {
      Setting setting = Settings.of(device, true, 0, new Mnist(), _ -> {});
      double straight = RandomVersusGrid.search(setting, trials, centre, steep, false)[0];
      assertEquals(Math.exp(-2 * 0.4 * 0.4), straight, 1e-6);
      double joined = RandomVersusGrid.search(setting, trials, centre, steep, true)[0];
      assertEquals(Math.exp(-2 * 0.2 * 0.2), joined, 1e-6, "0.1 is 0.2 from 0.9 around the edge");
      var random = Initializer.generator(0, "bootstraps");
      double[] low = {1, 2, 3};
      double[] high = {1.1, 2.1, 3.1};
      assertEquals(1, RandomVersusGrid.bootstrapped(setting, low, high, random));
      assertEquals(0, RandomVersusGrid.bootstrapped(setting, high, low, random));
    }
  }

  private static List<ZeroCentred.Walks> walks(double sameSign, double... paths) {
    return Arrays.stream(paths).mapToObj(path -> new ZeroCentred.Walks(1, 1, 10, path, sameSign)).toList();
  }

  @Test
  void theWholeIntervalOfThePathsMustLieAboveTwo() {
    var centred = walks(0.5, 1, 1, 1);
    var soft = walks(0.6, 1.5, 1.5, 1.5);
    assertEquals(
        List.of(true, true, true, true), outcomes(ZeroCentred.verdicts(walks(1, 2.4, 2.5, 2.6), centred, soft)));
    assertEquals(
        List.of(true, true, false, true), outcomes(ZeroCentred.verdicts(walks(1, 1.5, 2.5, 3.5), centred, soft)));
    assertEquals(
        List.of(false, false, true, false),
        outcomes(ZeroCentred.verdicts(walks(0.99, 2.4, 2.5, 2.6), walks(0.56, 1, 1, 1), walks(0.6, 2.6, 2.6, 2.6))));
  }

  @Test
  void theBestRateIsTheOneWithTheFewestSteps() {
    var slow = new ZeroCentred.Walks(0.5, 1, 30, 1.5, 1);
    var best = new ZeroCentred.Walks(1, 1, 20, 3, 1);
    var lost = new ZeroCentred.Walks(4, 0, 300, 1e30, 1);
    assertEquals(1, ZeroCentred.best(List.of(slow, best, lost)));
  }

  /**
   * Accuracies that rise to {@code best} at look {@code reached} of 40, and percentiles at −1, 0 and 1 that swing by
   * {@code swing}.
   */
  private static SigmoidTraining sigmoids(double best, int reached, double swing) {
    double[] accuracies = new double[40];
    Arrays.setAll(accuracies, look -> look < reached ? best * look / 40 : best);
    double[][][] percentiles = new double[40][3][100];
    for (int look = 0; look < 40; look++) {
      for (int p = 0; p < 3; p++) {
        Arrays.fill(percentiles[look][p], p - 1 + (look % 2 == 0 ? swing : -swing));
      }
    }
    return new SigmoidTraining(0.1, accuracies, percentiles);
  }

  @Test
  void batchNormMustBeHigherSoonerAndStillerForSure() {
    var without = List.of(sigmoids(0.95, 30, 0.2), sigmoids(0.95, 29, 0.21), sigmoids(0.95, 31, 0.19));
    var better = List.of(sigmoids(0.97, 20, 0.1), sigmoids(0.971, 20, 0.1), sigmoids(0.97, 20, 0.1));
    assertEquals(List.of(true, true, true), outcomes(BatchNormStudy.verdicts(without, better)));
    var neverThere = List.of(sigmoids(0.94, 20, 0.1), sigmoids(0.94, 20, 0.1), sigmoids(0.941, 20, 0.1));
    assertEquals(List.of(false, false, true), outcomes(BatchNormStudy.verdicts(without, neverThere)));
    var scattered = List.of(sigmoids(0.99, 5, 0.3), sigmoids(0.951, 39, 0.1), sigmoids(0.951, 39, 0.19));
    assertEquals(List.of(false, false, false), outcomes(BatchNormStudy.verdicts(without, scattered)));
  }

  @Test
  void theWorstSeedWithBatchNormAndTheBestWithoutCount() {
    assertTrue(BatchNormStudy.only("c", new double[] {0.1, 0.3}, new double[] {0.9, 0.95}).reproduced());
    assertFalse(BatchNormStudy.only("c", new double[] {0.1, 0.31}, new double[] {0.9, 0.95}).reproduced());
    assertFalse(BatchNormStudy.only("c", new double[] {0.1, 0.3}, new double[] {0.89, 0.95}).reproduced());
  }

  @Test
  void ensemblesThatMayBeAsGoodAsTheirMeanMemberHaveNotWon() {
    assertTrue(EnsembleStudy.verdict("seed", new ConfidenceInterval(0.01, 0.5, 1)).reproduced());
    assertFalse(EnsembleStudy.verdict("seed", new ConfidenceInterval(0, 0.5, 1)).reproduced());
    assertFalse(EnsembleStudy.verdict("seed", new ConfidenceInterval(Double.NaN, 0.5, Double.NaN)).reproduced());
  }

  private static List<RnnClipping.Trained> ended(double... losses) {
    var gradient = new Course.ThroughTime(new double[] {30, 40}, 5);
    return Arrays.stream(losses)
        .mapToObj(last -> new RnnClipping.Trained(100, last, Double.isNaN(last) ? 2 : 0, 1, 0, gradient))
        .toList();
  }

  /** A hundred is less than the first loss, and nothing that was learned. */
  @Test
  void clippingHasSavedATrainingThatDoesBetterThanGuessing() {
    double nan = Double.NaN;
    assertTrue(RnnClipping.saved(ended(4.7, nan, nan), ended(100.2, 1.9, 1.2), GUESSING).reproduced());
    Verdict missed = RnnClipping.saved(ended(nan, nan, nan), ended(99, 1.9, nan), GUESSING);
    assertFalse(missed.reproduced());
    assertEquals("at 1 of 3 rates; it stays finite at 2", missed.measured());
    assertFalse(RnnClipping.saved(ended(1, 2), ended(1, 2), GUESSING).reproduced(), "nothing was lost");
    assertEquals(
        List.of("above guessing", "not finite from update 2", "below guessing"),
        ended(100, nan, 2.3).stream().map(trained -> trained.ending(GUESSING)).toList());
  }

  @Test
  void clippingShortensTheGradientOfAllStepsAlikeAndThatOfNoneThatIsShort() {
    Course.ThroughTime clipped = RnnClipping.clipped(new Course.ThroughTime(new double[] {30, 40}, 5));
    assertArrayEquals(new double[] {6, 8}, clipped.steps(), 1e-12);
    assertEquals(1, clipped.weights(), 1e-12);
    double[] small = {0.3, 0.4};
    assertArrayEquals(small, RnnClipping.clipped(new Course.ThroughTime(small, 0.5)).steps());
  }

  @Test
  void rowsThatCannotBeHalvedAreRefused() {
    try (Arena arena = Arena.ofConfined()) {
      assertEquals(List.of(16, 4), RnnBeforeTraining.cut(blank(arena, 8, 8, 1)).dims());
      assertEquals(List.of(14, 4), RnnBeforeTraining.cut(blank(arena, 7, 8, 1)).dims());
      for (int[] dims : new int[][] {{7, 7, 1}, {20}}) {
        Dataset odd = blank(arena, dims);
        String complaint = assertThrows(BadInputException.class, () -> RnnBeforeTraining.cut(odd)).getMessage();
        assertTrue(complaint.contains("an input of blank is [" + dims[0]), complaint);
        assertEquals(1, complaint.lines().count());
      }
    }
  }

  private static Dataset blank(Arena arena, int... dims) {
    int[] one = IntStream.concat(IntStream.of(1), IntStream.of(dims)).toArray();
    HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, 1));
    return Dataset.labelled("blank", HostTensor.allocate(arena, TensorType.of(DType.U8, one)), labels, List.of("a"));
  }

  /** sigmoid' is at most a quarter, at 0: with 10,000 chains some come near for a few layers. */
  @Test
  void chainsOfSigmoidsComeNearTheirBoundAndNeverPassIt() {
    List<Verdict> verdicts = new ArrayList<>();
    try (Device device = new Devices().open("cpu", new DeviceOptions(1))) {
      Table chain = VanishingGradient.chain(Settings.of(device, true, 0, new Mnist(), _ -> {}), verdicts);
      List<String[]> rows = chain.csv().lines().skip(1).map(line -> line.split(",")).toList();
      assertEquals(10, rows.size());
      for (String[] row : rows) {
        double largest = Double.parseDouble(row[1]);
        double bound = Math.pow(0.25, Integer.parseInt(row[0]));
        assertTrue(largest > bound / 4 && largest <= bound * (1 + 1e-5), Arrays.toString(row));
      }
    }
    assertEquals(List.of(true), outcomes(verdicts));
    assertFalse(VanishingGradient.bounded(1.0001).reproduced());
    assertFalse(VanishingGradient.bounded(Double.NaN).reproduced());
  }
}
