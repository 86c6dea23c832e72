package dev.lamina.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** NVIDIA's own compiler takes every kernel, and expressions of all kinds, for each generation of GPUs. */
@Tag("slow")
class NvccTest {
  private static final Optional<Path> NVCC = find();

  @TempDir private Path folder;

  private static Optional<Path> find() {
    return Stream.of(System.getenv().getOrDefault("PATH", "").split(":"))
        .map(directory -> Path.of(directory, "nvcc"))
        .filter(Files::isExecutable)
        .findFirst();
  }

  @BeforeEach
  void needsNvcc() {
    Assumptions.assumeTrue(NVCC.isPresent(), "nvcc is not on the PATH");
  }

  @ParameterizedTest
  @ValueSource(ints = {75, 80, 90, 120})
  void compilesEveryKernel(int capability) throws IOException, InterruptedException {
    List<String> failures = new ArrayList<>();
    for (Launch launch : KernelSamples.distinct()) {
      String said = compile(launch, capability);
      if (!said.isEmpty()) {
        failures.add(launch.entry() + " " + launch.options() + ": " + said);
      }
    }
    assertEquals(List.of(), failures);
  }

  /** What the compiler says; nothing if it is content. */
  private String compile(Launch launch, int capability) throws IOException, InterruptedException {
    Path source = folder.resolve("kernel.cu");
    Files.writeString(source, launch.source());
    List<String> command =
        new ArrayList<>(
            List.of(
                NVCC.orElseThrow().toString(),
                "-cubin",
                "-arch=sm_" + capability,
                "-o",
                folder.resolve("kernel.cubin").toString(),
                source.toString()));
    command.addAll(launch.options());
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
    assertEquals(true, process.waitFor(1, TimeUnit.MINUTES), "nvcc does not end");
    return said.strip();
  }
}
