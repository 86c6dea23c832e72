package dev.lamina.device.cuda.suite;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tools.jackson.databind.json.JsonMapper;

/**
 * The first question to a new GPU: how fast are convolutions by cuDNN's graph API, and how fast by its legacy calls?
 * Prints a JSON object for each convolution, direction and precision, as soon as it is known.
 */
@Command(
    name = "convolutions",
    description = "Measures convolutions by both parts of cuDNN and prints one JSON object for each.",
    sortOptions = false)
public final class ConvolutionQuestion implements Callable<Integer> {
  /** Which part of cuDNN a device is left with when it is opened. */
  private static final String ONLY = "lamina.cuda.convolutions";

  private static final List<String> PARTS = List.of("legacy", "graph");

  @Option(names = "--out", description = "A file for the lines, beside the standard output.")
  private Path out;

  @Option(names = "--batch", defaultValue = "256", description = "Images (${DEFAULT-VALUE}).")
  private int batch;

  @Option(
      names = "--shrink",
      defaultValue = "1",
      description = "Divides extents and channels, for machines that only try it (${DEFAULT-VALUE}).")
  private int shrink;

  @Option(names = "--seconds", defaultValue = "0.1", description = "For each measurement (${DEFAULT-VALUE}).")
  private double seconds;

  @Option(names = "--cuda-libs", defaultValue = "", description = "Where NVIDIA's libraries are.")
  private String libraries;

  @Option(names = "--precision", split = ",", description = "bf16, tf32, fp32; all unless given.")
  private List<Precision> precisions = List.of(Precision.values());

  /** What floats are rounded to. */
  private enum Precision {
    BF16,
    TF32,
    FP32
  }

  /** For processes. */
  public static void main(String[] args) {
    System.exit(new CommandLine(new ConvolutionQuestion()).setCaseInsensitiveEnumValuesAllowed(true).execute(args));
  }

  @Override
  public Integer call() throws Exception {
    try (OutputStream file = out == null ? OutputStream.nullOutputStream() : Files.newOutputStream(out);
        var lines = new PrintStream(file, true, StandardCharsets.UTF_8)) {
      for (Precision precision : precisions) {
        answer(precision, lines);
      }
    }
    return 0;
  }

  private void answer(Precision precision, PrintStream lines) {
    try (Device legacy = open("legacy", precision);
        Device graph = open("graph", precision)) {
      for (ConvolutionCase shape : ConvolutionCase.all(batch, shrink)) {
        for (ConvolutionCase.Direction direction : ConvolutionCase.Direction.values()) {
          String line =
              JsonMapper.shared().writeValueAsString(answer(shape, direction, precision, List.of(legacy, graph)));
          System.out.println(line);
          lines.println(line);
          // After a fault, the GPU refuses all that follows: that is no answer.
          legacy.synchronize();
        }
      }
    }
  }

  private Map<String, Object> answer(
      ConvolutionCase shape, ConvolutionCase.Direction direction, Precision precision, List<Device> devices) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("kind", "convolution");
    line.put("name", shape.name());
    line.put("direction", direction.name().toLowerCase(java.util.Locale.ROOT));
    line.put("type", precision.name().toLowerCase(java.util.Locale.ROOT));
    line.put("image", shape.image().toString());
    line.put("filter", shape.filter().toString());
    line.put("spec", shape.spec().toString());
    List<float[]> samples = new ArrayList<>();
    for (int part = 0; part < PARTS.size(); part++) {
      String name = PARTS.get(part);
      try (var run = new ConvolutionRun(devices.get(part), shape.type(precision == Precision.BF16), shape, direction)) {
        double milliseconds = run.milliseconds(seconds);
        line.put(name + "_ms", milliseconds);
        line.put(name + "_tflops", shape.flops() / milliseconds * 1e-9);
        line.put(name + "_workspace_bytes", run.workspaceBytes());
        samples.add(run.sample());
      } catch (RuntimeException e) {
        line.put(name + "_refused", Optional.ofNullable(e.getMessage()).orElse(e.toString()));
      }
    }
    if (samples.size() == PARTS.size()) {
      line.put("ratio", (double) line.get("legacy_ms") / (double) line.get("graph_ms"));
      line.put("difference", difference(samples.getFirst(), samples.getLast()));
    }
    return line;
  }

  /** The largest difference, as a share of the root of the mean square: how much both ways agree. */
  private static double difference(float[] left, float[] right) {
    double squares = 0;
    double most = 0;
    for (int i = 0; i < left.length; i++) {
      squares += (double) left[i] * left[i] / left.length;
      most = Math.max(most, Math.abs((double) left[i] - right[i]));
    }
    return squares == 0 ? most : most / Math.sqrt(squares);
  }

  private Device open(String part, Precision precision) {
    System.setProperty(ONLY, part);
    try {
      return new Devices()
          .open(
              "cuda",
              DeviceOptions.DEFAULT.withExactProducts(precision == Precision.FP32).withCudaLibraries(libraries));
    } finally {
      System.clearProperty(ONLY);
    }
  }
}
