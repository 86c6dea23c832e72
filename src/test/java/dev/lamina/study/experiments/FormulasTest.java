package dev.lamina.study.experiments;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.data.Mnist;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.optim.Momentum;
import dev.lamina.optim.Sgd;
import dev.lamina.study.Setting;
import dev.lamina.study.Settings;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the longer studies compute by themselves, against its formulas. */
class FormulasTest {
  private final Device device = new Devices().open("cpu", new DeviceOptions(2));
  private final Setting setting = Settings.of(device, true, 0, new Mnist(), _ -> {});

  @AfterEach
  void close() {
    device.close();
  }

  @Test
  void ofAShareAfterSomeStepsTheFactorIsTheRoot() {
    assertEquals(0.5, RnnBeforeTraining.factor(0.125, 4), 1e-12);
  }

  @Test
  void theHessianOfLeastSquaresCountsTheBiasAndItsConditionIsThatOfWhatHoldsTheTrace() {
    assertArrayEquals(
        new double[] {4, 0, 5, 0, 9, 6, 5, 6, 1},
        PreprocessingStudy.withBias(new double[] {4, 0, 0, 9}, new double[] {5, 6}));
    // 100 + 20 of 120.1 are 99 % and more; the third holds next to nothing.
    var spectrum = PreprocessingStudy.Spectrum.of(new double[] {20, 0, 0, 0, 0.1, 0, 0, 0, 100}, 3);
    assertArrayEquals(new double[] {100, 20, 0.1}, spectrum.values(), 1e-12);
    assertEquals(2, spectrum.held());
    assertEquals(5, spectrum.condition(), 1e-12);
  }

  /** f = ½(x² + 50·y²): SGD multiplies x by 1 − rate and y by 1 − 50·rate. */
  @Test
  void theRavineIsDescendedAsTheFormulaSays() {
    Ravine.Path path = Ravine.walk(setting, new Sgd(), 0.03);
    for (int i = 0; i <= 5; i++) {
      assertEquals(-8 * Math.pow(0.97, i), path.xs()[i], 1e-4);
      assertEquals(Math.pow(-0.5, i), path.ys()[i], 1e-4);
      double height = (path.xs()[i] * path.xs()[i] + 50 * path.ys()[i] * path.ys()[i]) / 2;
      assertEquals(height, path.values()[i], 1e-4 * height);
    }
    // v = 0.9·v + x, so that x goes −8, −7.84 and, by 0.02·(0.9·8 + 7.84), −7.5392.
    assertArrayEquals(
        new double[] {-8, -7.84, -7.5392}, Arrays.copyOf(Ravine.walk(setting, new Momentum(), 0.02).xs(), 3), 1e-5);
  }

  @Test
  void aRateThatDivergesIsNotTheBest() {
    Ravine.Path best = Ravine.best(setting, new Sgd(), new double[] {10, 0.03, 0.001});
    assertEquals(0.03, best.rate());
  }

  @Test
  void aShareGrowsIfItSurelyFallsNowhereAndSurelyDoesNotStay() {
    assertTrue(grows(new double[] {0.01, 0, 0.005}, new double[] {0, 0, 0}, new double[] {0.5, 0.6, 0.5}));
    assertFalse(grows(new double[] {0, 0, 0}, new double[] {0.2, 0.21, 0.2}, new double[] {0.1, 0.11, 0.1}));
    assertFalse(grows(new double[] {0.1, 0.1, 0.1}, new double[] {0.1, 0.1, 0.1}));
    assertFalse(grows(new double[] {0.1, 0.1, 0.1}, new double[] {0, 0.2, 0.9}));
    assertFalse(grows(new double[] {0, 0, 0}, new double[] {0.4, Double.NaN, 0.5}));
  }

  private static boolean grows(double[]... shares) {
    return DeadRelu.verdict(new double[shares.length], shares).reproduced();
  }
}
