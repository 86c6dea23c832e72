package dev.lamina.train.pretrain;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A machine that learns bars and stripes, whose likelihood can be summed exactly. */
class CompiledRbmTest {
  private static final int SIDE = 3;
  private static final int VISIBLE = SIDE * SIDE;
  private static final int HIDDEN = 8;

  private final Arena arena = Arena.ofShared();

  @AfterEach
  void close() {
    arena.close();
  }

  /** All patterns of whole rows or whole columns (MacKay 2003, section 43): 14 of them. */
  private static List<Integer> barsAndStripes() {
    Set<Integer> patterns = new LinkedHashSet<>();
    for (int lines = 0; lines < 1 << SIDE; lines++) {
      int rows = 0;
      int columns = 0;
      for (int p = 0; p < VISIBLE; p++) {
        rows |= (lines >> p / SIDE & 1) << p;
        columns |= (lines >> p % SIDE & 1) << p;
      }
      patterns.add(rows);
      patterns.add(columns);
    }
    return new ArrayList<>(patterns);
  }

  private static RbmSpec spec(int steps, DType dtype, int batch) {
    return spec(steps, dtype, batch, 1e-4);
  }

  private static RbmSpec spec(int steps, DType dtype, int batch, double decay) {
    return new RbmSpec(
        "toy",
        VisibleUnits.BINARY,
        HIDDEN,
        TensorType.f32(VISIBLE),
        (inputs, _) -> inputs,
        new ContrastiveDivergence(steps),
        decay,
        batch,
        batch,
        dtype,
        3);
  }

  private HostTensor patterns() {
    List<Integer> patterns = barsAndStripes();
    HostTensor data = HostTensor.allocate(arena, TensorType.f32(patterns.size(), VISIBLE));
    for (int n = 0; n < patterns.size(); n++) {
      for (int i = 0; i < VISIBLE; i++) {
        data.set((long) n * VISIBLE + i, patterns.get(n) >> i & 1);
      }
    }
    return data;
  }

  private static ExactRbm exact(Map<String, HostTensor> weights) {
    double[][] weight = new double[HIDDEN][VISIBLE];
    for (int j = 0; j < HIDDEN; j++) {
      int row = j * VISIBLE;
      Arrays.setAll(weight[j], i -> weights.get("toy.weight").get(row + i));
    }
    return new ExactRbm(
        VisibleUnits.BINARY, weight, weights.get("toy.visible_bias").toDoubles(), weights.get("toy.bias").toDoubles());
  }

  private static double logLikelihood(CompiledRbm rbm, Arena memory) {
    double[] data = new double[1 << VISIBLE];
    List<Integer> patterns = barsAndStripes();
    patterns.forEach(pattern -> data[pattern] = 1.0 / patterns.size());
    return exact(rbm.weights(memory)).logLikelihood(data);
  }

  /** The best that can be reached is −log 14 = −2.64; without learning it is −9 log 2 = −6.24. */
  @ParameterizedTest
  @CsvSource({"reference, F64, 1", "cpu, F32, 1", "cpu, F32, 3"})
  void learningRaisesTheLikelihood(String name, DType dtype, int steps) {
    HostTensor data = patterns();
    HostTensor ones = HostTensor.allocate(arena, TensorType.f32(14)).fill(1);
    try (Device device = new Devices().open(name, new DeviceOptions(1));
        CompiledRbm rbm = new CompiledRbm(device, spec(steps, dtype, 14))) {
      assertEquals(VISIBLE, rbm.visible());
      assertEquals(-VISIBLE * Math.log(2), logLikelihood(rbm, arena), 0.01);
      List<Double> errors = new ArrayList<>();
      List<Double> likelihoods = new ArrayList<>();
      rbm.pace(0.1, 0.5);
      for (int look = 0; look < 4; look++) {
        for (int i = 0; i < 700; i++) {
          rbm.update(data);
        }
        errors.add(rbm.takeReconstructionError());
        likelihoods.add(logLikelihood(rbm, arena));
      }
      assertTrue(likelihoods.getLast() > -4, likelihoods::toString);
      assertTrue(likelihoods.getLast() > likelihoods.getFirst(), likelihoods::toString);
      assertTrue(errors.getLast() < 0.5 * errors.getFirst(), errors::toString);

      ExactRbm learned = exact(rbm.weights(arena));
      double energy =
          barsAndStripes().stream()
              .mapToDouble(p -> learned.freeEnergy(ExactRbm.bits(p, VISIBLE)))
              .average()
              .orElseThrow();
      rbm.judge(data, ones);
      rbm.judge(data, ones);
      // Sums of a few dozen numbers of size 1 to 10, rounded to 24 bits.
      assertEquals(energy, rbm.takeFreeEnergy(), dtype == DType.F64 ? 1e-10 : 1e-4);
    }
  }

  @Test
  void theSameSeedGivesTheSameBits() {
    HostTensor data = patterns();
    List<double[]> weights = new ArrayList<>();
    for (int threads : new int[] {1, 2, 1}) {
      try (Device device = new Devices().open("cpu", new DeviceOptions(threads));
          CompiledRbm rbm = new CompiledRbm(device, spec(2, DType.F32, 14))) {
        rbm.pace(0.1, 0.9);
        for (int i = 0; i < 50; i++) {
          rbm.update(data);
        }
        weights.add(rbm.weights(arena).get("toy.weight").toDoubles());
      }
    }
    assertArrayEquals(weights.get(0), weights.get(1));
    assertArrayEquals(weights.get(0), weights.get(2));
  }

  /** One update by hand: velocity and weight decay, with statistics from the outside. */
  @Test
  void anUpdateIsMomentumAndRateTimesTheGradientLessDecay() {
    HostTensor data = patterns();
    try (Device device = new Devices().open("reference", DeviceOptions.DEFAULT);
        CompiledRbm still = new CompiledRbm(device, spec(1, DType.F64, 14));
        CompiledRbm fast = new CompiledRbm(device, spec(1, DType.F64, 14))) {
      double[] begin = still.weights(arena).get("toy.weight").toDoubles();
      still.pace(0.1, 0.9);
      still.update(data);
      double[] once = still.weights(arena).get("toy.weight").toDoubles();
      fast.pace(0.2, 0.9);
      fast.update(data);
      double[] twice = fast.weights(arena).get("toy.weight").toDoubles();
      for (int i = 0; i < begin.length; i++) {
        assertEquals(2 * (once[i] - begin[i]), twice[i] - begin[i], 1e-12);
      }
      // Without a rate, only the velocity is left: 0.5 of the last step.
      still.pace(0, 0.5);
      still.update(data);
      double[] after = still.weights(arena).get("toy.weight").toDoubles();
      for (int i = 0; i < begin.length; i++) {
        assertEquals(0.5 * (once[i] - begin[i]), after[i] - once[i], 1e-12);
      }
    }
  }

  /** Decay takes its share of a weight, times the rate, and nothing of a bias. */
  @Test
  void weightsDecayAndBiasesDoNot() {
    HostTensor data = patterns();
    try (Device device = new Devices().open("reference", DeviceOptions.DEFAULT);
        CompiledRbm without = new CompiledRbm(device, spec(1, DType.F64, 14, 0));
        CompiledRbm with = new CompiledRbm(device, spec(1, DType.F64, 14, 0.3))) {
      double[] begin = without.weights(arena).get("toy.weight").toDoubles();
      for (CompiledRbm rbm : List.of(without, with)) {
        rbm.pace(0.1, 0);
        rbm.update(data);
      }
      Map<String, HostTensor> free = without.weights(arena);
      Map<String, HostTensor> held = with.weights(arena);
      for (int i = 0; i < begin.length; i++) {
        double taken = free.get("toy.weight").get(i) - held.get("toy.weight").get(i);
        assertEquals(0.1 * 0.3 * begin[i], taken, 1e-12);
      }
      assertArrayEquals(free.get("toy.bias").toDoubles(), held.get("toy.bias").toDoubles());
      assertArrayEquals(free.get("toy.visible_bias").toDoubles(), held.get("toy.visible_bias").toDoubles());
    }
  }

  /** Padding counts for nothing, neither in means nor in the range. */
  @Test
  void measuresSayHowOftenUnitsAreOn() {
    HostTensor data = patterns();
    HostTensor weights = HostTensor.allocate(arena, TensorType.f32(14)).fill(1);
    weights.set(13, 0);
    for (int i = 0; i < VISIBLE; i++) {
      data.set(13L * VISIBLE + i, -7);
    }
    double[] expected = new double[VISIBLE];
    double[] squares = new double[VISIBLE];
    for (int n = 0; n < 13; n++) {
      for (int i = 0; i < VISIBLE; i++) {
        double value = data.get((long) n * VISIBLE + i);
        expected[i] += value;
        squares[i] += value * value;
      }
    }
    try (Device device = new Devices().open("cpu", new DeviceOptions(1));
        CompiledRbm rbm = new CompiledRbm(device, spec(1, DType.F32, 14))) {
      for (int again = 0; again < 2; again++) {
        rbm.measure(data, weights);
        CompiledRbm.Measures measures = rbm.takeMeasures();
        assertEquals(13, measures.examples());
        assertArrayEquals(expected, measures.sums(), 1e-6);
        assertArrayEquals(squares, measures.squares(), 1e-6);
        assertEquals(0, measures.low());
        assertEquals(1, measures.high());
        rbm.begin(measures);
        HostTensor bias = rbm.weights(arena).get("toy.visible_bias");
        for (int i = 0; i < VISIBLE; i++) {
          double odds = (expected[i] + 1) / (13 - expected[i] + 1);
          assertEquals(Math.log(odds), bias.get(i), 1e-6);
        }
      }
    }
  }

  @Test
  void aStemGivesVectors() {
    RbmSpec images =
        new RbmSpec(
            "images",
            VisibleUnits.BINARY,
            2,
            TensorType.of(DType.U8, 2, 2, 1),
            (inputs, _) -> inputs,
            new ContrastiveDivergence(1),
            0,
            2,
            2,
            DType.F32,
            0);
    try (Device device = new Devices().open("cpu", new DeviceOptions(1))) {
      String message = assertThrows(IllegalArgumentException.class, () -> new CompiledRbm(device, images)).getMessage();
      assertTrue(message.contains("visible units are [n, visible]"), message);
    }
  }
}
