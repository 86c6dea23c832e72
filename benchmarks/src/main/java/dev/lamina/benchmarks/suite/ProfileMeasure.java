package dev.lamina.benchmarks.suite;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.device.Program;
import dev.lamina.graph.Node;
import dev.lamina.train.Precision;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Where the time of a training step goes: its operations one by one, each waited for. */
@Command(
    name = "profile",
    description = "Times the operations of a training step; a JSON object for each of the dearest.")
final class ProfileMeasure implements Callable<Integer> {
  /** Operations that are told of, those with the same shapes taken together. */
  private static final int TOLD = 30;

  private static final int STEPS = 10;

  @Parameters(index = "0", paramLabel = "NETWORK")
  private String network;

  @Parameters(index = "1", paramLabel = "BATCH")
  private int batch;

  @Parameters(index = "2", paramLabel = "PRECISION")
  private Precision precision;

  @Option(names = "--device", defaultValue = "cuda")
  private String deviceName;

  @Option(names = "--image", paramLabel = "PIXELS", required = true, description = "Side of an image.")
  private int side;

  @Override
  public Integer call() {
    var options = DeviceOptions.DEFAULT.withExactProducts(precision == Precision.FP32);
    try (Device device = new Devices().open(deviceName, options);
        var training = new NoiseTraining(device, new Network(network, batch, side), precision)) {
      training.update();
      training.update();
      device.synchronize();
      tell(device, training.model().updateProgram().parts());
    }
    return 0;
  }

  private static void tell(Device device, List<Program.Part> parts) {
    double[][] nanoseconds = new double[parts.size()][STEPS];
    for (int step = 0; step < STEPS; step++) {
      for (int part = 0; part < parts.size(); part++) {
        long begin = System.nanoTime();
        parts.get(part).step().run();
        device.synchronize();
        nanoseconds[part][step] = System.nanoTime() - begin;
      }
    }
    Map<String, Map<String, Object>> lines = new LinkedHashMap<>();
    double all = 0;
    for (int part = 0; part < parts.size(); part++) {
      Arrays.sort(nanoseconds[part]);
      double milliseconds = nanoseconds[part][STEPS / 2] * 1e-6;
      all += milliseconds;
      Map<String, Object> line = line(parts.get(part).node());
      Map<String, Object> sum = lines.computeIfAbsent(line.toString(), _ -> line);
      sum.merge("count", 1, (a, b) -> (int) a + (int) b);
      sum.merge("ms", milliseconds, (a, b) -> (double) a + (double) b);
    }
    double whole = all;
    var out = new JsonLines(System.out);
    lines.values().stream()
        .sorted(Comparator.comparingDouble((Map<String, Object> line) -> (double) line.get("ms")).reversed())
        .limit(TOLD)
        .forEach(line -> {
          line.put("share", (double) line.get("ms") / whole);
          out.write(line);
        });
  }

  private static Map<String, Object> line(Node node) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("kind", "operation");
    line.put("operation", node.op().label());
    line.put("phase", node.phase().name().toLowerCase(Locale.ROOT));
    line.put("inputs", node.inputTypes().toString());
    return line;
  }
}
