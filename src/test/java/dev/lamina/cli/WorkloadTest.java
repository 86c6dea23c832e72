package dev.lamina.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code lamina summary} and {@code lamina profile}: a step that is looked at without training. */
class WorkloadTest extends CommandFixture {
  @Test
  void sizesThatCannotBeCountedAreRefused() throws IOException {
    for (String layers : List.of("{dense: 2147483647}", "{maxout: {units: 20000000, pieces: 200}}")) {
      Path recipe = recipe("data: %s\nmodel: [flatten, %s]\nbatch: 20\ndevice: reference\n".formatted(data, layers));
      assertComplaint("make layers or the batch smaller", "summary", recipe.toString());
    }
  }

  @Test
  void aSummaryShowsLayersParametersAndMemory() {
    assertEquals(Main.OK, run("summary", "lenet", "--device", "reference", "--batch", "8"));
    assertTrue(outLines().stream().anyMatch(line -> line.startsWith("all") && line.contains("61,706")), said());
    assertTrue(
        outLines().getLast().startsWith("a training step with batch 8 on reference takes "), outLines().getLast());
  }

  @Test
  void thePrecisionCanBeChosen() {
    assertEquals(Main.OK, run("summary", "lenet", "--device", "reference", "--batch", "8", "--precision", "fp64"));
    String wide = outLines().getLast();
    assertEquals(Main.OK, run("summary", "lenet", "--device", "reference", "--batch", "8"));
    assertNotEquals(outLines().getLast(), wide);
    assertComplaint("precision", "profile", "lenet", "--precision", "fp23");
  }

  @Test
  void aProfileShowsEachOperation() throws IOException {
    Path recipe = recipe("data: %s\nmodel: [flatten, {dense: 3}]\nbatch: 20\ndevice: cpu\n".formatted(data));
    assertEquals(Main.OK, run("profile", recipe.toString(), "--steps", "2"), this::complaint);
    assertTrue(outLines().stream().anyMatch(line -> line.contains("GFLOP/s")), said());
    assertTrue(outLines().stream().anyMatch(line -> line.contains("matmul") && line.contains("dense1")), said());
  }
}
