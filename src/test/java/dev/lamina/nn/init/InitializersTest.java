package dev.lamina.nn.init;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class InitializersTest {
  /** A filter [out, kh, kw, in]: fan-in 144, fan-out 1,152. */
  private static final Shape FILTER = Shape.of(128, 3, 3, 16);

  private static final double FAN_IN = 144;
  private static final double FAN_OUT = 1152;

  /** What a distribution's fourth moment is to its squared variance. */
  private static final double NORMAL_KURTOSIS = 3;

  private static final double UNIFORM_KURTOSIS = 1.8;

  private static double[] filled(Initializer initializer, Shape shape, long seed) {
    try (Arena arena = Arena.ofConfined()) {
      HostTensor target = HostTensor.allocate(arena, new TensorType(shape, DType.F64));
      initializer.fill(target, Initializer.generator(seed, "conv1.weight"));
      return target.toDoubles();
    }
  }

  /**
   * An initializer and its distribution.
   *
   * @param deviation standard deviation
   * @param limit no value lies beyond
   */
  record Case(Initializer initializer, double deviation, double kurtosis, double limit) {
    @Override
    public String toString() {
      return initializer.toString();
    }

    static Case normal(Initializer initializer, double deviation) {
      return new Case(initializer, deviation, NORMAL_KURTOSIS, Double.POSITIVE_INFINITY);
    }

    static Case uniform(Initializer initializer, double deviation) {
      return new Case(initializer, deviation, UNIFORM_KURTOSIS, Math.sqrt(3) * deviation * (1 + 1e-15));
    }
  }

  static Stream<Case> scaled() {
    double cut = 0.8796256610342398;
    return Stream.of(
        Case.normal(new Normal(0.01), 0.01),
        Case.uniform(new Uniform(0.5), 0.5 / Math.sqrt(3)),
        new Case(new TruncatedNormal(0.02), 0.02 * cut, NORMAL_KURTOSIS, 0.04),
        Case.normal(new Xavier(Distribution.NORMAL), Math.sqrt(2 / (FAN_IN + FAN_OUT))),
        Case.uniform(new Xavier(), Math.sqrt(2 / (FAN_IN + FAN_OUT))),
        Case.uniform(new Xavier(Distribution.UNIFORM, 5.0 / 3), 5.0 / 3 * Math.sqrt(2 / (FAN_IN + FAN_OUT))),
        Case.normal(new LeCun(), 1 / Math.sqrt(FAN_IN)),
        Case.uniform(new LeCun(Distribution.UNIFORM), 1 / Math.sqrt(FAN_IN)),
        Case.normal(new He(), Math.sqrt(2 / FAN_IN)),
        Case.uniform(new He(Fan.IN, Distribution.UNIFORM), Math.sqrt(2 / FAN_IN)),
        Case.normal(new He(Fan.OUT, Distribution.NORMAL), Math.sqrt(2 / FAN_OUT)),
        Case.normal(new He(Fan.AVERAGE, Distribution.NORMAL), Math.sqrt(2 / ((FAN_IN + FAN_OUT) / 2))),
        Case.normal(new He(Fan.IN, Distribution.NORMAL, Nonlinearity.LEAKY_RELU, 0.1), Math.sqrt(2 / (1.01 * FAN_IN))),
        Case.normal(new He(Fan.IN, Distribution.NORMAL, Nonlinearity.TANH, 0), 5 / (3 * Math.sqrt(FAN_IN))),
        new Case(
            new He(Fan.IN, Distribution.TRUNCATED_NORMAL),
            Math.sqrt(2 / FAN_IN),
            NORMAL_KURTOSIS,
            2 * Math.sqrt(2 / FAN_IN) / cut));
  }

  /** Five standard errors: a right initializer fails for one seed in a million, and the seeds are fixed. */
  @ParameterizedTest
  @MethodSource("scaled")
  void meanAndDeviationAreThoseOfTheDistribution(Case c) {
    double[] w = filled(c.initializer, FILTER, 3);
    double n = w.length;
    double mean = Arrays.stream(w).sum() / n;
    double variance = Arrays.stream(w).map(x -> x * x).sum() / n;
    assertEquals(0, mean, 5 * c.deviation / Math.sqrt(n));
    assertEquals(c.deviation, Math.sqrt(variance), 5 * c.deviation * Math.sqrt((c.kurtosis - 1) / (4 * n)));
    assertTrue(Arrays.stream(w).allMatch(x -> Math.abs(x) <= c.limit), "beyond the limit");
  }

  @Test
  void normalNumbersFollowTheNormalCurve() {
    double[] w = filled(new Normal(1), FILTER, 11);
    double n = w.length;
    double[][] points = {
      {-2, 0.022750131948179}, {-1, 0.158655253931457}, {0, 0.5}, {0.5, 0.691462461274013}, {1.5, 0.933192798731142}
    };
    for (double[] point : points) {
      double below = Arrays.stream(w).filter(x -> x < point[0]).count() / n;
      assertEquals(point[1], below, 5 * Math.sqrt(point[1] * (1 - point[1]) / n), "share below " + point[0]);
    }
    double neighbours = 0;
    for (int i = 0; i + 1 < w.length; i += 2) {
      neighbours += w[i] * w[i + 1];
    }
    assertEquals(0, neighbours / (n / 2), 5 / Math.sqrt(n / 2), "the two numbers of one draw are independent");
  }

  @Test
  void theSameBitsEverywhereAndForEver() {
    // Pinned: a recipe must give the same start on any machine and with any later version.
    double[] normal = {
      -0.22651668603034086, -1.162389585218049, 0.43132336288557016, -1.0434988207370761, -0.8840760729040931
    };
    assertArrayEquals(normal, filled(new Normal(1), Shape.of(5), 1), 0);
    assertArrayEquals(normal, filled(new TruncatedNormal(1), Shape.of(5), 1), 0, "nothing to cut here");
    double[] uniform = {
      0.008049922313921654, 0.4387382221330782, -0.057261806444538044, 0.6247635122089215, -0.0583636759954036
    };
    assertArrayEquals(uniform, filled(new Uniform(1), Shape.of(5), 1), 0);
    double[] orthogonal = {-0.1912736110866126, -0.9815367571832893, 0.9815367571832894, -0.19127361108661262};
    assertArrayEquals(orthogonal, filled(new Orthogonal(), Shape.of(2, 2), 1), 0);
  }

  @Test
  void seedAndNameDecide() {
    assertArrayEquals(filled(new He(), FILTER, 5), filled(new He(), FILTER, 5));
    assertFalse(Arrays.equals(filled(new He(), FILTER, 5), filled(new He(), FILTER, 6)));
    assertFalse(
        Initializer.generator(1, "a.weight").nextLong() == Initializer.generator(1, "b.weight").nextLong(),
        "parameters draw apart");
  }

  @ParameterizedTest
  @ValueSource(strings = {"8,3,3,2", "5,40", "40,5", "6,6"})
  void orthogonalRowsOrColumns(String dims) {
    Shape shape = Shape.of(Arrays.stream(dims.split(",")).mapToInt(Integer::parseInt).toArray());
    double gain = 1.5;
    double[] w = filled(new Orthogonal(gain), shape, 2);
    int out = shape.dim(0);
    int in = (int) shape.sliceSize();
    boolean rows = out <= in;
    for (int a = 0; a < Math.min(out, in); a++) {
      for (int b = 0; b < Math.min(out, in); b++) {
        double dot = 0;
        for (int k = 0; k < Math.max(out, in); k++) {
          dot += rows ? w[a * in + k] * w[b * in + k] : w[k * in + a] * w[k * in + b];
        }
        assertEquals(a == b ? gain * gain : 0, dot, 1e-14 * Math.max(out, in), dims + ": " + a + " and " + b);
      }
    }
  }

  @Test
  void orthogonalMatricesPointAnywhere() {
    // With a diagonal of R whose sign were left to chance or to the algorithm the mean of an element would not be 0.
    double sum = 0;
    double traces = 0;
    int draws = 2000;
    for (int seed = 0; seed < draws; seed++) {
      double[] w = filled(new Orthogonal(), Shape.of(3, 3), seed);
      sum += w[0];
      traces += Math.pow(w[0] + w[4] + w[8], 2);
    }
    // An element of a random rotation has variance 1/3, its trace variance 1 (and fourth moment 3).
    assertEquals(0, sum / draws, 5 * Math.sqrt(1.0 / 3 / draws));
    assertEquals(1, traces / draws, 5 * Math.sqrt(2.0 / draws));
  }

  @Test
  void constantsAndZeros() {
    assertArrayEquals(new double[] {0.01, 0.01}, filled(new Constant(0.01), Shape.of(2), 1));
    assertArrayEquals(new double[] {0, 0}, filled(new Zeros(), Shape.of(2), 1));
  }

  @Test
  void gainsAreThoseOfPyTorch() {
    assertEquals(1, Nonlinearity.LINEAR.gain(0));
    assertEquals(1, Nonlinearity.SIGMOID.gain(0));
    assertEquals(5.0 / 3, Nonlinearity.TANH.gain(0));
    assertEquals(Math.sqrt(2), Nonlinearity.RELU.gain(0));
    assertEquals(Math.sqrt(2 / 1.0001), Nonlinearity.LEAKY_RELU.gain(0.01));
    assertEquals(0.75, Nonlinearity.SELU.gain(0));
  }

  @Test
  void biasesHaveNoFan() {
    for (Initializer initializer : new Initializer[] {new He(), new Xavier(), new LeCun(), new Orthogonal()}) {
      assertThrows(IllegalArgumentException.class, () -> filled(initializer, Shape.of(7), 1), initializer.toString());
    }
  }
}
