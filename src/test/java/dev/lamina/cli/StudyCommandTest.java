package dev.lamina.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.data.Stripes;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.study.Findings;
import dev.lamina.study.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
    for (String own : List.of("activation-statistics", "sigmoid-histograms", "zero-centred", "random-vs-grid")) {
      assertComplaint("study " + own + " makes its own numbers; leave out --data", "study", own, "--data", "mnist");
    }
  }

  @Test
  void timesOfTheBenchmarksAreReadBeforeAnythingIsRun() throws IOException {
    Path none = folder.resolve("none.json");
    String[] study = {"study", "activations", "--quick", "--device", "cpu", "--out", folder.resolve("out").toString()};
    assertComplaint("cannot read " + none, with(study, none));
    Path empty = Files.writeString(folder.resolve("empty.json"), "[]");
    assertComplaint("empty.json has no times of Sigmoid, ReLU; make them with benchmarks/run", with(study, empty));
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
    Path to = Files.createDirectories(folder.resolve("some/where"));
    Files.writeString(to.resolve("random-vs-grid.partial.csv"), "of a run that was stopped");
    Path unknown = Files.writeString(to.resolve("holiday.png"), "not of this study");
    int code = run("study", "random-vs-grid", "--quick", "--device", "cpu", "--threads", "2", "--out", to.toString());
    assertEquals(Main.FAILED, code, complaint());
    assertEquals("", complaint());
    assertTrue(said().contains("the claim is NOT reproduced: 3 of 5 criteria are met"), said());
    assertTrue(Files.readString(to.resolve("random-vs-grid.csv")).startsWith("n,grid,random,"));
    assertTrue(Files.size(to.resolve("best-of-n.png")) > 1000);
    String report = Files.readString(to.resolve("report.txt"));
    assertTrue(report.contains("NOT reproduced: the best of 2"), report);
    assertFalse(report.contains("wrote "), report);
    assertFalse(report.contains("data mnist"), "it takes none");
    assertFalse(Files.exists(to.resolve("random-vs-grid.partial.csv")));
    assertTrue(Files.exists(unknown));
  }

  @Test
  void theReportNamesTheDataAndWhatWasNotTestedOnThem() throws IOException {
    Path to = folder.resolve("out");
    Path others = Stripes.FOUR.write(folder.resolve("four"), 200, 50);
    String[] study = {"study", "two-layer-search", "--quick", "--device", "cpu", "--data", others.toString(), "--out"};
    assertEquals(Main.OK, run(Stream.concat(Stream.of(study), Stream.of(to.toString())).toArray(String[]::new)));
    String report = Files.readString(to.resolve("report.txt"));
    assertTrue(report.contains("seed 0, data " + others + ", device cpu"), report);
    assertTrue(report.contains("not tested:     the best trial has at least 50 %"), report);
    assertTrue(report.contains("; claimed about 53 %; made for CIFAR-10, this is other data)"), report);
    assertTrue(report.contains("the claim was not tested: its criteria are for other data"), report);
  }

  @Test
  void whatWasNotTestedIsNeitherMetNorMissed() {
    Verdict met = Verdict.that("x", "1", "1", true);
    Verdict missed = Verdict.that("y", "1", "2", false);
    assertEquals("this study reports; it has no criterion to pass", sum());
    assertEquals("the claim is reproduced: 1 of 1 criteria are met", sum(met));
    assertEquals(
        "the claim is reproduced: 1 of 1 criteria are met, 1 for other data not tested", sum(met, missed.madeFor("z")));
    assertEquals(
        "the claim is NOT reproduced: 0 of 1 criteria are met, 1 for other data not tested",
        sum(missed, met.madeFor("z")));
  }

  private static String sum(Verdict... verdicts) {
    return StudyCommand.verdict(new Findings(List.of(), List.of(), List.of(verdicts), List.of()), false);
  }

  @Test
  void theFolderSaysWhatIsNotAsByDefault() {
    assertEquals("dropout", StudyCommand.folder("dropout", choice("cpu"), false, null, 0));
    assertEquals("dropout", StudyCommand.folder("dropout", choice("cpu"), false, "mnist", 0));
    assertEquals(
        "dropout-reference-quick-cifar-10-batches-bin-seed-2",
        StudyCommand.folder("dropout", choice("reference"), true, "data/cifar-10-batches-bin/", -2));
    assertEquals("dropout-my-data", StudyCommand.folder("dropout", choice("cpu"), false, "/some/my data/x/..", 0));
  }

  private static Devices.Choice choice(String device) {
    return new Devices().choose(device, DeviceOptions.DEFAULT);
  }
}
