package dev.lamina.benchmarks.suite;

import dev.lamina.device.Devices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Tests and measures Lamina on a GPU. */
@Command(
    name = "gpu-suite",
    description = {
      "Tests and measures Lamina on this machine's first GPU, in less than nine minutes.",
      "Writes OUT/results.json, OUT/report.md and OUT/suite.log. Exit code 1 if a part failed."
    },
    mixinStandardHelpOptions = true,
    subcommands = Measure.class)
public final class GpuSuite implements Callable<Integer> {
  private static final Duration LIMIT = Duration.ofSeconds(515);
  private static final Duration QUICK_LIMIT = Duration.ofSeconds(240);

  @Parameters(paramLabel = "OUT", arity = "0..1", description = "Folder for the results.")
  private Path out;

  @Option(names = "--quick", description = "Shorter measurements, in less than five minutes.")
  private boolean quick;

  @Option(
      names = "--emulated",
      paramLabel = "DIR",
      description = "Runs tiny sizes on the stand-ins for NVIDIA's libraries in DIR: shows that the suite works.")
  private Path emulator;

  @Option(
      names = "--only",
      paramLabel = "PART",
      split = ",",
      description = "Only these parts, in addition to the machine.")
  private List<String> only = List.of();

  @Option(names = "--report", description = "Only writes OUT/report.md again, from OUT/results.json.")
  private boolean reportOnly;

  /** Exits with 1 if a part failed, and with 2 if the command line is wrong. */
  public static void main(String[] args) {
    System.exit(new CommandLine(new GpuSuite()).setCaseInsensitiveEnumValuesAllowed(true).execute(args));
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (out == null) {
      System.err.println("gpu-suite: where to? gpu-suite OUT [--quick]");
      return 2;
    }
    if (emulator != null && !Files.isRegularFile(emulator.resolve("libcuda.so.1"))) {
      System.err.println(
          "gpu-suite: --emulated: " + emulator + " has no libcuda.so.1; make -C native/emulator builds one");
      return 2;
    }
    var results = new SuiteResults(out);
    if (reportOnly) {
      new Report(results.read()).write(out.resolve("report.md"));
      return 0;
    }
    Files.createDirectories(out);
    Files.deleteIfExists(out.resolve("suite.log"));
    List<Part> parts = parts();
    Map<String, Object> suite = new LinkedHashMap<>();
    suite.put("emulated", emulator != null);
    suite.put("date", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    suite.put("command", command());
    suite.put("lamina", String.valueOf(Devices.class.getPackage().getImplementationVersion()));
    var runner = new PartRunner(quick ? QUICK_LIMIT : LIMIT, out.resolve("suite.log"), System.out);
    boolean passed = true;
    for (Part part : parts) {
      Part.Outcome outcome = runner.run(part);
      passed &= outcome.end() == Part.End.PASSED || outcome.end() == Part.End.SKIPPED;
      results.add(suite, part, outcome);
      new Report(suite).write(out.resolve("report.md"));
    }
    System.out.println(out.resolve("report.md"));
    return passed ? 0 : 1;
  }

  private List<Part> parts() {
    Map<String, String> environment = new HashMap<>(Map.of("LAMINA_REQUIRE", "cuda"));
    if (emulator != null) {
      environment.put("LAMINA_CUDA_LIBS", emulator.toAbsolutePath().toString());
    }
    Scale scale = emulator != null ? Scale.TINY : quick ? Scale.QUICK : Scale.FULL;
    List<Part> all = Parts.of(Path.of(System.getProperty("lamina.bundle")), scale, environment, emulator != null);
    List<String> names = all.stream().map(Part::name).toList();
    for (String name : only) {
      if (!names.contains(name)) {
        throw new CommandLine.ParameterException(
            new CommandLine(this), "--only: there is no part " + name + "; there are " + String.join(", ", names));
      }
    }
    return all.stream()
        .filter(part -> only.isEmpty() || part.name().equals("machine") || only.contains(part.name()))
        .toList();
  }

  private String command() {
    List<String> words = new ArrayList<>(List.of("gpu-suite", out.toString()));
    if (quick) {
      words.add("--quick");
    }
    if (emulator != null) {
      words.add("--emulated");
    }
    if (!only.isEmpty()) {
      words.add("--only=" + String.join(",", only));
    }
    return String.join(" ", words);
  }
}
