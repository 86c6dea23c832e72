package dev.lamina.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.lamina.data.Stripes;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Presses Ctrl-C: signals reach whole processes only. */
class InterruptTest {

  /** What a command printed, and how it ended. */
  private record Ended(int code, List<String> lines) {}

  /** Runs a command and presses Ctrl-C with the first line that begins with {@code sign}. */
  private static Ended interruptedAt(String sign, String... arguments) throws IOException, InterruptedException {
    assumeTrue(Files.isExecutable(Path.of("/bin/kill")), "needs /bin/kill to send a signal");
    assumeFalse(ignoresInterrupts(), "this process ignores SIGINT, as behind & in a script, and so would its child");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "--add-modules", "jdk.incubator.vector"));
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Djava.awt.headless=true"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    Future<?> tooLong =
        CompletableFuture.runAsync(process::destroyForcibly, CompletableFuture.delayedExecutor(2, TimeUnit.MINUTES));
    List<String> lines = new ArrayList<>();
    try (BufferedReader reader =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      boolean isPressed = false;
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        lines.add(line);
        if (!isPressed && line.startsWith(sign)) {
          isPressed = true;
          new ProcessBuilder("/bin/kill", "-INT", Long.toString(process.pid())).start().waitFor();
        }
      }
    }
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    tooLong.cancel(false);
    return new Ended(process.exitValue(), lines);
  }

  private static boolean ignoresInterrupts() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return false;
    }
    long sigint = 1L << (2 - 1);
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith("SigIgn:"))
        .anyMatch(line -> (Long.parseUnsignedLong(line.substring(7).strip(), 16) & sigint) != 0);
  }

  @Test
  void ctrlCSavesACheckpointSaysHowToGoOnAndExitsWith130(@TempDir Path folder) throws Exception {
    Path run = folder.resolve("run");
    String out = run.toString();
    Ended ended =
        interruptedAt(
            "training on", "train", "--model", "mlp", "--device", "reference", "--epochs", "1000", "--out", out);
    assertEquals(Main.INTERRUPTED, ended.code, ended.lines::toString);
    assertTrue(ended.lines.getLast().startsWith("interrupted after step"), ended.lines::toString);
    assertTrue(ended.lines.getLast().endsWith("lamina train --resume " + run), ended.lines::toString);
    assertTrue(Files.exists(run.resolve("last.safetensors")));
    assertFalse(Files.exists(run.resolve(".lock")), "nothing works there any more");
    assertFalse(Files.exists(run.resolve("plot.png")), "there was no epoch to plot");
  }

  @Test
  void ctrlCLeavesPlotsAndAReportOfWhatWasDone(@TempDir Path folder) throws Exception {
    Path run = folder.resolve("run");
    String data = Stripes.THREE.write(folder.resolve("stripes"), 120, 30).toString();
    Ended ended =
        interruptedAt(
            "epoch 2/",
            ("train --model mlp --device reference --batch 20 --epochs 100000 --data " + data + " --out " + run)
                .split(" "));
    assertEquals(Main.INTERRUPTED, ended.code, ended.lines::toString);
    assertTrue(ended.lines.stream().noneMatch(line -> line.startsWith("lamina:")), ended.lines::toString);
    for (String file : List.of("plot.png", "layers.png", "histograms.png")) {
      assertTrue(Files.size(run.resolve(file)) > 1000, file);
    }
    String report = Files.readString(run.resolve("report.md"));
    assertTrue(report.contains("continue it with `lamina train --resume " + run + "`"), report);
    assertTrue(report.contains("\n| 2 | "), report);
  }

  @Test
  void ctrlCInAStudySaysWhatIsLeftAndExitsWith130(@TempDir Path folder) throws Exception {
    Path out = folder.resolve("out");
    Ended ended =
        interruptedAt(
            "device reference", "study", "dropout", "--quick", "--device", "reference", "--out", out.toString());
    assertEquals(Main.INTERRUPTED, ended.code, ended.lines::toString);
    assertEquals(
        "interrupted; no table had a row yet; the study begins anew when it is run again", ended.lines.getLast());
    assertFalse(Files.exists(out), "there was nothing to leave in it");
  }

  @Test
  void ctrlCInARangeTestDrawsNothingAndExitsWith130(@TempDir Path folder) throws Exception {
    Path plot = folder.resolve("rates.png");
    Ended ended = interruptedAt("trying", "find-lr", "mlp", "--device", "reference", "--out", plot.toString());
    assertEquals(Main.INTERRUPTED, ended.code, ended.lines::toString);
    assertTrue(
        ended.lines.getLast().matches("interrupted after \\d+ of 200 steps; nothing was drawn, .*"),
        ended.lines::toString);
    assertFalse(Files.exists(plot));
  }
}
