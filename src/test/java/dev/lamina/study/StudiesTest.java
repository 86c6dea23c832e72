package dev.lamina.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.data.Mnist;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.nn.init.Initializer;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Whole studies where they are quick; those that train for longer share their pieces with these. */
class StudiesTest {
  private final Device device = new Devices().open("cpu", new DeviceOptions(2));

  @AfterEach
  void close() {
    device.close();
  }

  private Findings quick(String name) {
    return Studies.named(name).run(new Setting(device, true, 0, new Mnist(), _ -> {}));
  }

  private static List<Boolean> outcomes(Findings findings) {
    return findings.verdicts().stream().map(Verdict::reproduced).toList();
  }

  @Test
  void sigmoidHistograms() {
    Findings findings = quick("sigmoid-histograms");
    assertEquals(7, findings.verdicts().size());
    assertTrue(findings.reproduced(), () -> findings.verdicts().toString());
    assertEquals(8 * 5, findings.figures().getFirst().panels().size());
  }

  @Test
  void symmetry() {
    Findings findings = quick("symmetry");
    assertEquals(List.of(true, true, true), outcomes(findings), () -> findings.verdicts().toString());
  }

  /** In the middle of the cube a grid of two has an advantage; the study says so. */
  @Test
  void randomSearchWinsOnceAGridHasFourPoints() {
    assertEquals(List.of(false, true, true, true), outcomes(quick("random-vs-grid")));
  }

  @Test
  void aGridHasAllCombinationsOfTheLevelsOfSoManyParameters() {
    var random = Initializer.generator(0, "grid");
    double[][] four = RandomVersusGrid.grid(4, random);
    Set<String> points = Arrays.stream(four).map(Arrays::toString).collect(Collectors.toSet());
    assertEquals(4, points.size());
    for (int p = 0; p < 4; p++) {
      int parameter = p;
      long levels = Arrays.stream(four).mapToDouble(point -> point[parameter]).distinct().count();
      assertTrue(levels == 1 || levels == 2);
    }
    assertEquals(16, Arrays.stream(RandomVersusGrid.grid(16, random)).map(Arrays::toString).distinct().count());
    assertFalse(Arrays.equals(four[0], four[1]));
  }
}
