package dev.lamina.benchmarks.suite;

import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;

/** What is measured on: GPU, driver, libraries, processor. */
@Command(name = "machine", description = "Prints one JSON object about GPU, driver, libraries and processor.")
final class MachineMeasure implements Callable<Integer> {
  private static final String ASKED =
      "name,driver_version,pstate,clocks.sm,clocks.mem,clocks.max.sm,power.limit,ecc.mode.current";

  @Override
  public Integer call() {
    Devices.Entry gpu =
        new Devices()
            .list(DeviceOptions.DEFAULT).stream().filter(e -> e.name().startsWith("cuda")).findFirst().orElseThrow();
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("kind", "machine");
    line.put("gpu", gpu.description());
    line.put("libraries", gpu.details());
    line.put("nvidia_smi", nvidiaSmi());
    line.put("processor", processor());
    line.put("processors", Runtime.getRuntime().availableProcessors());
    line.put("system", System.getProperty("os.name") + " " + System.getProperty("os.version"));
    line.put("java", System.getProperty("java.vendor.version", System.getProperty("java.version")));
    new JsonLines(System.out).write(line);
    describe();
    return gpu.available() ? 0 : 1;
  }

  private static String nvidiaSmi() {
    return ASKED + ": " + said("nvidia-smi", "--query-gpu=" + ASKED, "--format=csv,noheader");
  }

  /** What one asks for when libraries are not found, or times are not what they should be. It goes to the log. */
  private static void describe() {
    for (String variable : List.of("PATH", "LD_LIBRARY_PATH", "LAMINA_CUDA_LIBS", "CUDA_VISIBLE_DEVICES")) {
      System.err.println(variable + "=" + System.getenv().getOrDefault(variable, ""));
    }
    Stream.of(
            "ls -lR /usr/local/nvidia",
            "ldconfig -p | grep -E 'cuda|nvidia|cudnn|cublas|nvrtc'",
            "python3 -c 'from importlib.metadata import distributions as d\nfor x in d():\n"
                + "  if x.name.startswith((\"nvidia\", \"torch\")): print(x.name, x.version, x.locate_file(\"\"))'",
            "nvidia-smi -q")
        .forEach(command -> System.err.printf("--- %s%n%s%n", command, said("sh", "-c", command)));
  }

  /** What a command prints. */
  private static String said(String... command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getOutputStream().close();
      String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      return process.waitFor() == 0 ? text : "it failed: " + text;
    } catch (IOException e) {
      return "not installed";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "interrupted";
    }
  }

  private static String processor() {
    try {
      List<String> lines = Files.readAllLines(Path.of("/proc/cpuinfo"));
      return lines.stream()
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse("unknown");
    } catch (IOException e) {
      return "unknown";
    }
  }
}
