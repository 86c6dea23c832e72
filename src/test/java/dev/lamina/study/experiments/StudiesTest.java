package dev.lamina.study.experiments;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.data.DataSource;
import dev.lamina.data.Mnist;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.io.BadInputException;
import dev.lamina.nn.init.Initializer;
import dev.lamina.study.Findings;
import dev.lamina.study.Setting;
import dev.lamina.study.Settings;
import dev.lamina.study.Study;
import dev.lamina.study.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole studies where they are quick; those that train for longer share their pieces with these. */
class StudiesTest {
  private final Device device = new Devices().open("cpu", new DeviceOptions(2));

  @AfterEach
  void close() {
    device.close();
  }

  private Findings quick(String name) {
    return Studies.named(name).run(Settings.of(device, true, 0, new Mnist(), _ -> {}));
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

  /** In the middle of the cube a grid of one or two points has an advantage; the study says so. */
  @Test
  void randomSearchWinsOnceAGridHasFourPoints() {
    assertEquals(List.of(false, false, true, true, true), outcomes(quick("random-vs-grid")));
  }

  /** Records of CIFAR's binary files: label bytes, then three planes; the class is the brightness. */
  private static void write(Path file, int records, int labelBytes) throws IOException {
    byte[] bytes = new byte[records * (labelBytes + 3072)];
    for (int i = 0; i < records; i++) {
      int at = i * (labelBytes + 3072) + labelBytes;
      bytes[at - 1] = (byte) (i % 2);
      for (int p = 0; p < 3072; p++) {
        bytes[at + p] = (byte) ((i % 2 == 0 ? 20 : 180) + (i * 7 + p * 13) % 50);
      }
    }
    Files.write(file, bytes);
  }

  @Test
  void theSearchIsJudgedOnAllOfTheDataOfTheClaimOnly(@TempDir Path folder) throws IOException {
    for (int batch = 1; batch <= 5; batch++) {
      write(folder.resolve("data_batch_" + batch + ".bin"), 50, 1);
    }
    write(folder.resolve("test_batch.bin"), 20, 1);
    Findings findings = Studies.named("two-layer-search").run(setting(DataSource.open(folder)));
    // Two stages of eight, and a line of headings.
    assertEquals(17, findings.tables().getLast().lines().size());
    assertTrue(findings.notes().getLast().startsWith("the claim was NOT tested"), () -> findings.notes().getLast());
    assertTrue(findings.verdicts().getFirst().line().startsWith("not tested: "), () -> findings.verdicts().toString());
    assertTrue(findings.reproduced(), "what was not tested has not failed");
    assertTrue(TwoLayerSearch.verdict(0.5).reproduced());
    assertFalse(TwoLayerSearch.verdict(0.499).reproduced());
  }

  @Test
  void aFigureForMnistIsNoVerdictOnOtherData() {
    Verdict met = Verdict.that("c", "1", "1", true);
    assertEquals(met, setting(new Mnist()).onMnist(met));
  }

  private Setting setting(DataSource data) {
    return Settings.of(device, true, 0, data, _ -> {});
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
    for (int n = 1; n <= 16; n++) {
      double[][] grid = RandomVersusGrid.grid(n, random);
      assertEquals(n, Arrays.stream(grid).map(Arrays::toString).distinct().count());
      for (int p = 0; p < 4; p++) {
        int parameter = p;
        double[] values = Arrays.stream(grid).mapToDouble(point -> point[parameter]).distinct().sorted().toArray();
        for (int level = 0; level < values.length; level++) {
          assertEquals((level + 0.5) / values.length, values[level], 1e-12, "in the middle of equal parts");
        }
      }
    }
    assertFalse(Arrays.equals(four[0], four[1]));
  }

  @Test
  void everyStudyHasANameOfItsOwnAndIsFoundByIt() {
    for (Study study : Studies.all()) {
      assertEquals(study, Studies.named(study.name()));
      assertTrue(study.name().matches("[a-z-]+"), study.name());
      assertFalse(study.claim().isBlank() || study.source().isBlank() || study.duration().isBlank());
    }
    var complaint = assertThrows(BadInputException.class, () -> Studies.named("symetry"));
    assertTrue(complaint.getMessage().contains("did you mean 'symmetry'?"), complaint.getMessage());
  }
}
