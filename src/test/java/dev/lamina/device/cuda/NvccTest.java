package dev.lamina.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
    for (var unit : units().entrySet()) {
      String said = compile(unit.getKey(), unit.getValue(), capability);
      if (!said.isEmpty()) {
        failures.add(unit.getKey() + ": " + said);
      }
    }
    assertEquals(List.of(), failures);
  }

  /**
   * Kernels with equal options as one text: a compiler takes half a second to start, and there are hundreds of them.
   * Each has a namespace of its own behind the element types, which they share.
   */
  private static Map<List<String>, String> units() {
    String types = KernelText.withTypes("");
    Map<List<String>, StringBuilder> units = new LinkedHashMap<>();
    int number = 0;
    for (Launch launch : KernelSamples.distinct()) {
      String own = launch.source().substring(types.length()).replace("extern \"C\" ", "");
      StringBuilder unit = units.computeIfAbsent(launch.options(), _ -> new StringBuilder(types));
      unit.append("namespace sample").append(number++).append(" {\n").append(own).append("\n}\n");
      own.lines()
          .filter(line -> line.startsWith("#define "))
          .forEach(line -> unit.append("#undef ").append(line.split("[ (]", 3)[1]).append('\n'));
    }
    Map<List<String>, String> texts = new LinkedHashMap<>();
    units.forEach((options, text) -> texts.put(options, text.toString()));
    return texts;
  }

  /** What the compiler says; nothing if it is content. */
  private String compile(List<String> options, String text, int capability) throws IOException, InterruptedException {
    Path source = folder.resolve("kernels.cu");
    Files.writeString(source, text);
    List<String> command =
        new ArrayList<>(
            List.of(
                NVCC.orElseThrow().toString(),
                "-cubin",
                "-arch=sm_" + capability,
                "-o",
                folder.resolve("kernels.cubin").toString(),
                source.toString()));
    command.addAll(options);
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(true, process.waitFor(1, TimeUnit.MINUTES), "nvcc does not end");
    return said.strip();
  }
}
