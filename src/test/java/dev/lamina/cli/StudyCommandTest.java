package dev.lamina.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class StudyCommandTest extends CommandFixture {
  @Test
  void theListNamesStudiesWithTheirClaims() {
    assertEquals(Main.OK, run("study", "--list"));
    assertTrue(said().contains("he-vs-xavier ("), said());
    assertTrue(said().contains("source: Bergstra and Bengio 2012"), said());
  }

  @Test
  void mistakesAreOneLine() {
    assertEquals(Main.BAD_INPUT, run("study", "dead-relo"));
    assertTrue(complaint().startsWith("lamina: there is no study 'dead-relo'"), complaint());
    assertEquals(Main.BAD_INPUT, run("study"));
    assertEquals("lamina: which study? lamina study --list shows all", complaint());
    assertEquals(Main.BAD_INPUT, run("study", "symmetry", "--data", folder.resolve("none").toString()));
    assertTrue(complaint().contains("there is no data"), complaint());
    assertEquals(Main.BAD_INPUT, run("study", "symmetry", "--device", "cpus"));
    assertTrue(complaint().contains("did you mean 'cpu'?"), complaint());
    assertEquals(1, complaint().lines().count());
  }

  @Test
  void timesOfTheBenchmarksAreReadBeforeAnythingIsRun() throws IOException {
    Path none = folder.resolve("none.json");
    String[] study = {"study", "activations", "--quick", "--device", "cpu", "--out", folder.resolve("out").toString()};
    assertComplaint("cannot read " + none, with(study, none));
    Path empty = Files.writeString(folder.resolve("empty.json"), "[]");
    assertComplaint(
        "empty.json has no times of Sigmoid, ReLU on cpu; make them with benchmarks/run", with(study, empty));
    assertFalse(Files.exists(folder.resolve("out")));
    study[1] = "symmetry";
    assertComplaint("study symmetry shows no times of activations; leave out --jmh", with(study, empty));
  }

  private static String[] with(String[] study, Path jmh) {
    return Stream.concat(Stream.of(study), Stream.of("--jmh", jmh.toString())).toArray(String[]::new);
  }

  /** A claim that is not reproduced is no error, but ends with another exit code. */
  @Test
  void aStudyWritesItsTablesFiguresAndReport() throws IOException {
    Path to = folder.resolve("some/where");
    int code = run("study", "random-vs-grid", "--quick", "--device", "cpu", "--threads", "2", "--out", to.toString());
    assertEquals(Main.FAILED, code, complaint());
    assertEquals("", complaint());
    assertTrue(said().contains("the claim is NOT reproduced: 13 of 16 criteria are met"), said());
    assertTrue(Files.readString(to.resolve("random-vs-grid.csv")).startsWith("n,grid,random,"));
    assertTrue(Files.size(to.resolve("best-of-n.png")) > 1000);
    String report = Files.readString(to.resolve("report.txt"));
    assertTrue(report.contains("NOT reproduced: the best of 2"), report);
    assertFalse(report.contains("wrote "), report);
  }
}
