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
    return gpu.available() ? 0 : 1;
  }

  private static String nvidiaSmi() {
    try {
      Process process =
          new ProcessBuilder("nvidia-smi", "--query-gpu=" + ASKED, "--format=csv,noheader")
              .redirectErrorStream(true)
              .start();
      String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return process.waitFor() == 0 ? ASKED + ": " + text.strip() : "it failed: " + text.strip();
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
