package dev.lamina.device.cuda.suite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.device.cuda.emulator.Emulator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The question can be asked: on the emulator, whose times say nothing, each case has an answer and both parts agree.
 */
class ConvolutionQuestionTest {
  @TempDir private Path folder;

  /** A process of its own, because one process has one set of NVIDIA's libraries. */
  @Test
  void everyCaseIsAnsweredByBothParts() throws IOException, InterruptedException {
    Path lines = folder.resolve("lines.json");
    var builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "--add-modules=jdk.incubator.vector",
            "-Xmx1g",
            "-cp",
            System.getProperty("java.class.path"),
            ConvolutionQuestion.class.getName(),
            "--cuda-libs=" + Emulator.folder(),
            "--batch=1",
            "--shrink=7",
            "--seconds=0",
            "--out=" + lines);
    builder.environment().put("XDG_CACHE_HOME", folder.resolve("cache").toString());
    Files.createDirectories(folder.resolve("cache"));
    Path output = folder.resolve("output.txt");
    Process process = builder.redirectErrorStream(true).redirectOutput(output.toFile()).start();
    assertEquals(0, process.waitFor(), () -> read(output));
    List<JsonNode> answers =
        Files.readAllLines(lines).stream().map(line -> JsonMapper.shared().readTree(line)).toList();
    // Six convolutions in three directions and three precisions.
    assertEquals(54, answers.size(), answers::toString);
    for (JsonNode answer : answers) {
      assertTrue(answer.path("legacy_tflops").asDouble() > 0, answer::toString);
      assertTrue(answer.path("graph_tflops").asDouble() > 0, answer::toString);
      // Factors are rounded to 8, 11 and 24 bits; few of thousands of roundings add up.
      double agreement =
          switch (answer.path("type").asString()) {
            case "bf16" -> 0x1p-6;
            case "tf32" -> 0x1p-8;
            default -> 0x1p-18;
          };
      assertTrue(answer.path("difference").asDouble() <= agreement, answer::toString);
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }
}
