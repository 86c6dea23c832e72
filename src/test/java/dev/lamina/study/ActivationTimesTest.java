package dev.lamina.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.io.BadInputException;
import dev.lamina.nn.Layer;
import dev.lamina.nn.activation.GELU;
import dev.lamina.nn.activation.LeakyReLU;
import dev.lamina.nn.activation.ReLU;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ActivationTimesTest {
  @TempDir Path folder;

  private Path file(String text) throws IOException {
    return Files.writeString(folder.resolve("results.json"), text);
  }

  @Test
  void forwardAndBackwardOfTheLargeTensorAreAddedForEachDevice() throws IOException {
    Path file =
        file(
            JmhResults.of(
                JmhResults.of("cpu", "LEAKY_RELU", "FORWARD", "L1", 100),
                JmhResults.both("cuda", "LEAKY_RELU", 1000, 2000),
                JmhResults.both("cpu", "LEAKY_RELU", 0.25, 0.5),
                JmhResults.both("cpu", "GELU_TANH", 10, 10),
                JmhResults.both("cpu", "GELU", 1, 2)));
    ActivationTimes times = ActivationTimes.read(file, "cpu", List.of(new LeakyReLU(), new GELU()));
    assertEquals(Set.of("cpu", "cuda"), times.devices());
    assertEquals(List.of(0.75, 3000.0), times.nanosPerValue(new LeakyReLU()));
    assertEquals(List.of(3.0, Double.NaN), times.nanosPerValue(new GELU()), "not measured there");
    assertEquals("forward and backward in ns a value, cuda (JMH)", times.columns().getLast());
  }

  @Test
  void whatIsMissingIsNamedWithTheCommandThatMakesIt() throws IOException {
    String forward = JmhResults.of("cpu", "GELU", "FORWARD", "DRAM", 1);
    String complaint = complaint(JmhResults.of(JmhResults.both("cpu", "RELU", 1, 2), forward), "cpu");
    assertTrue(complaint.contains("has no times of GELU; make them with"), complaint);
    assertTrue(
        complaint.endsWith(
            "benchmarks/run ActivationBenchmark -p size=DRAM -p input=NORMAL -p neighbour=ALONE -p device=cpu"
                + " -p activation=RELU,GELU"),
        complaint);
    assertTrue(complaint(JmhResults.of(forward), "cuda").contains("-p device=cuda"), "where they are wanted");
  }

  @Test
  void whatIsNoResultIsRefused() throws IOException {
    String result = JmhResults.both("cpu", "RELU", 1, 2);
    assertNoResult("begin with a list", "{}");
    assertNoResult("begin with a list", "");
    assertNoResult("does not hold results", "[{");
    assertNoResult("expected times in ns/op, got 'ms/op'", JmhResults.of(result.replace("ns/op", "ms/op")));
    assertNoResult("a number of elements is missing", JmhResults.of(result.replace("elements", "atoms")));
    assertNoResult(
        "a time is missing", JmhResults.of(result.replaceFirst("\"score\": [0-9.E]+", "\"score\": \"NaN\"")));
    assertNoResult("two results of FORWARD RELU on cpu", JmhResults.of(result, result));
  }

  private void assertNoResult(String expected, String text) throws IOException {
    String complaint = complaint(text, "cpu");
    assertTrue(complaint.contains("does not hold results of JMH (") && complaint.contains(expected), complaint);
  }

  private String complaint(String text, String device) throws IOException {
    Path file = file(text);
    List<Layer> wanted = List.of(new ReLU(), new GELU());
    String line = assertThrows(BadInputException.class, () -> ActivationTimes.read(file, device, wanted)).getMessage();
    assertEquals(1, line.lines().count());
    return line;
  }
}
