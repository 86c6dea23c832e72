package dev.lamina.benchmarks;

import dev.lamina.device.Devices;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Runs benchmarks on the devices that are there and prints the tables: {@code Run RESULTS [--quick] [REGEX] [options of
 * JMH]}.
 */
public final class Run {
  /** With these, a quick run sees each benchmark and each activation, and none that takes long. */
  private static final Map<String, String> QUICK =
      Map.of(
          "size", Footprint.L1.name(),
          "input", ActivationBenchmark.Input.NORMAL.name(),
          "matrices", MatMulBenchmark.Matrices.SQUARE_256.name(),
          "geometry", ConvolutionBenchmark.Geometry.IMAGE_14_3X3.name(),
          "images", BatchNormBenchmark.Images.IMAGES_7X7X256.name());

  private Run() {}

  /** Exits with 1 if a benchmark failed, and with 2 if the command line is wrong. */
  public static void main(String[] args) throws RunnerException {
    var results = Path.of(args[0]);
    boolean quick = args.length > 1 && args[1].equals("--quick");
    String[] ofJmh = List.of(args).subList(quick ? 2 : 1, args.length).toArray(String[]::new);
    CommandLineOptions given;
    try {
      given = new CommandLineOptions(ofJmh);
    } catch (CommandLineOptionException e) {
      System.err.println("benchmarks/run: " + e.getMessage());
      System.exit(2);
      return;
    }
    var progress = new Progress(System.out);
    if (BenchmarkList.defaultList().find(progress, given.getIncludes(), given.getExcludes()).isEmpty()) {
      System.err.println("benchmarks/run: no benchmark matches " + given.getIncludes());
      System.exit(2);
    }
    List<String> devices = devices(given.getParameter("device").orElse(List.of()), quick);
    if (devices.isEmpty()) {
      System.out.println("there is no device to measure");
      return;
    }
    ChainedOptionsBuilder options = new OptionsBuilder().parent(given);
    options.resultFormat(ResultFormatType.JSON).result(results.toString());
    options.param("device", devices.toArray(String[]::new));
    if (!given.getIncludes().isEmpty()) {
      given.getIncludes().forEach(options::include);
      options.include(CopyBenchmark.class.getName().replace(".", "\\."));
    }
    if (quick) {
      // All in this process: starting a hundred others would take longer than what they measure.
      options.forks(0).warmupIterations(0).measurementIterations(1).measurementTime(TimeValue.milliseconds(1));
      QUICK.forEach((name, value) -> {
        if (!given.getParameter(name).hasValue()) {
          options.param(name, value);
        }
      });
    }
    int ended = new Runner(options.build(), progress).run().size();
    List<Measurement> measurements = Results.read(results);
    System.out.print(ActivationTable.of(measurements));
    System.out.print(OperationTable.of(measurements));
    if (ended < progress.started()) {
      System.err.println(
          "benchmarks/run: " + (progress.started() - ended) + " of " + progress.started() + " failed, see above");
      System.exit(1);
    }
  }

  /** Those of {@code wanted} that are there; the others are listed with the reason. */
  private static List<String> devices(Collection<String> wanted, boolean quick) {
    List<String> found = new ArrayList<>();
    for (String name : wanted.isEmpty() ? BenchmarkDevices.ALL : wanted) {
      Devices.Entry entry = BenchmarkDevices.entry(name);
      boolean leftOut = wanted.isEmpty() && name.equals("reference") && !found.isEmpty();
      if (leftOut) {
        System.out.println("device reference: left out, for it takes hours; -p device=reference measures it");
      } else if (entry.available()) {
        System.out.println("device " + name + ": " + entry.description());
        found.add(name);
      } else {
        System.out.println("device " + name + ": skipped, " + entry.description());
      }
    }
    return quick && !found.isEmpty() ? found.subList(0, 1) : found;
  }
}
