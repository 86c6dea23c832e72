package dev.lamina.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.data.Stripes;
import dev.lamina.device.cuda.emulator.Emulator;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A kernel that reads what it must not, in the midst of a training: on a GPU nobody hears of it at once. */
class CudaFaultTest {
  @TempDir private Path folder;

  /** How a process ended. */
  private record Outcome(int code, List<String> errors) {}

  private Outcome lamina(Map<String, String> environment, String... arguments) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "--add-modules", "jdk.incubator.vector"));
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Djava.awt.headless=true"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(List.of(arguments));
    Path errors = folder.resolve("errors");
    var builder = new ProcessBuilder(command).redirectError(errors.toFile());
    builder.redirectOutput(folder.resolve("output").toFile());
    builder.environment().put("LAMINA_CUDA_LIBS", Emulator.folder().toString());
    builder.environment().put("XDG_CACHE_HOME", Path.of("target", "emulator", "cache").toAbsolutePath().toString());
    builder.environment().putAll(environment);
    Process process = builder.start();
    assertTrue(process.waitFor(120, TimeUnit.SECONDS), "it hangs");
    return new Outcome(process.exitValue(), lines(errors));
  }

  /** Without what the stand-ins and the virtual machine say. */
  private static List<String> lines(Path file) throws IOException {
    return Files.readAllLines(file, StandardCharsets.UTF_8).stream()
        .filter(line -> !line.startsWith("emulator:") && !line.startsWith("WARNING:"))
        .toList();
  }

  private String[] training(Path run) throws IOException {
    return training("mlp", run);
  }

  private String[] training(String model, Path run) throws IOException {
    return new String[] {
      "train",
      "--model",
      model,
      "--data",
      Stripes.THREE.write(folder.resolve("stripes"), 120, 30).toString(),
      "--device",
      "cuda",
      "--epochs",
      "4",
      "--batch",
      "8",
      "--out",
      run.toString()
    };
  }

  @Test
  void aTrainingEndsWithOneLineAndItsLastCheckpointGoesOn() throws Exception {
    Path run = folder.resolve("run");
    Outcome outcome = lamina(Map.of("LAMINA_EMULATOR_FAULT", "lamina_cross_entropy_gradient:20"), training(run));
    assertEquals(Main.FAILED, outcome.code, outcome.errors.toString());
    assertEquals(1, outcome.errors.size(), outcome.errors.toString());
    String message = outcome.errors.getFirst();
    assertTrue(message.contains("CUDA_ERROR_ILLEGAL_ADDRESS"), message);
    assertTrue(message.contains("a training step of "), message);
    assertTrue(message.contains("LAMINA_CUDA_SYNC=1"), message);
    assertTrue(Files.exists(run.resolve("last.safetensors")), "the first epoch had ended");
    Outcome resumed = lamina(Map.of(), "train", "--resume", run.toString());
    assertEquals(Main.OK, resumed.code, resumed.errors.toString());
  }

  @Test
  void theOperationIsNamedWhereEachIsWaitedFor() throws Exception {
    Outcome outcome =
        lamina(
            Map.of("LAMINA_EMULATOR_FAULT", "lamina_cross_entropy_gradient:3", "LAMINA_CUDA_SYNC", "1"),
            training(folder.resolve("run")));
    assertEquals(Main.FAILED, outcome.code, outcome.errors.toString());
    assertEquals(1, outcome.errors.size(), outcome.errors.toString());
    assertTrue(outcome.errors.getFirst().contains("softmax cross-entropy gradient [F32[8,"), outcome.errors.toString());
  }

  @Test
  void copiesOfInputsAreWaitedForToo() throws Exception {
    Outcome outcome =
        lamina(
            Map.of("LAMINA_EMULATOR_FAULT", "lamina_copy_several:3", "LAMINA_CUDA_SYNC", "1"),
            training(folder.resolve("run")));
    assertEquals(Main.FAILED, outcome.code, outcome.errors.toString());
    assertTrue(outcome.errors.getFirst().contains("copies"), outcome.errors.toString());
  }

  /** Nothing is remembered here, so that the fault comes while ways to compute a convolution are timed. */
  @Test
  void aFaultOfAConvolutionThatIsTriedIsNoRefusal() throws Exception {
    Outcome outcome =
        lamina(
            Map.of(
                "LAMINA_EMULATOR_FAULT",
                "cudnnBackendExecute:1",
                "XDG_CACHE_HOME",
                Files.createDirectory(folder.resolve("cache")).toString()),
            training("small-cnn", folder.resolve("run")));
    assertEquals(Main.FAILED, outcome.code, outcome.errors.toString());
    assertEquals(1, outcome.errors.size(), outcome.errors.toString());
    String message = outcome.errors.getFirst();
    assertTrue(message.contains("CUDA_ERROR_ILLEGAL_ADDRESS"), message);
    assertTrue(message.contains("a try of cuDNN's "), message);
  }
}
