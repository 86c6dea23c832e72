package dev.lamina.benchmarks.suite;

import dev.lamina.data.DataSource;
import dev.lamina.data.Dataset;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The same training of digits on two devices, as a user starts it: how well the first learns, and how alike both do.
 */
@Command(name = "mnist", description = "Trains digits on a device and on the CPU and prints a JSON object for each.")
final class MnistMeasure implements Callable<Integer> {
  /**
   * How far the mean losses of an epoch may be apart, as a share. Rounding otherwise ends in other weights after some
   * hundred steps: on the CPU a rate that differed by a millionth moved the losses of six epochs by 0.03 to 2 %.
   */
  private static final double ALIKE = 0.1;

  @Option(names = "--device", defaultValue = "cuda")
  private String device;

  @Option(names = "--epochs", defaultValue = "5")
  private int epochs;

  @Option(names = "--images", description = "Only so many, and a fifth for the test; all unless given.")
  private int images;

  @Option(names = "--batch", defaultValue = "64")
  private int batch;

  @Option(names = "--least", defaultValue = "0.99", description = "Accuracy on the test set (${DEFAULT-VALUE}).")
  private double least;

  /** The losses of the epochs, the accuracy on the test set, and images a second. */
  private record Curve(List<Double> losses, double accuracy, double imagesPerSecond) {}

  @Override
  public Integer call() throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("lamina-mnist-");
    try {
      return compare(folder, images == 0 ? "mnist" : small(folder.resolve("data")).toString());
    } finally {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  private int compare(Path folder, String data) throws IOException, InterruptedException {
    var lines = new JsonLines(System.out);
    Curve here = train(folder, data, device);
    lines.write(line(device, here));
    boolean accurate = here.accuracy >= least;
    if (!accurate) {
      System.err.println("accuracy " + here.accuracy + ", expected " + least + " or more");
    }
    Curve there = train(folder, data, "cpu");
    lines.write(line("cpu", there));
    double apart = 0;
    for (int i = 0; i < Math.min(here.losses.size(), there.losses.size()); i++) {
      apart = Math.max(apart, Math.abs(here.losses.get(i) - there.losses.get(i)) / there.losses.get(i));
    }
    boolean alike = apart <= ALIKE && here.losses.size() == epochs && there.losses.size() == epochs;
    System.err.printf(Locale.ROOT, "losses are up to %.4f of the CPU's apart, expected %.1f at most%n", apart, ALIKE);
    return accurate && alike ? 0 : 1;
  }

  private static Map<String, Object> line(String on, Curve curve) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("kind", "mnist");
    line.put("device", on);
    line.put("test_accuracy", curve.accuracy);
    line.put("losses", curve.losses);
    line.put("images_per_second", curve.imagesPerSecond);
    return line;
  }

  private Curve train(Path folder, String data, String on) throws IOException, InterruptedException {
    Path run = folder.resolve(on.replace(':', '-'));
    List<String> command = new ArrayList<>(List.of(System.getProperty("lamina.bundle") + "/lamina", "train", "--json"));
    command.addAll(List.of("--data", data, "--device", on, "--epochs", Integer.toString(epochs), "--seed", "1"));
    command.addAll(List.of("--batch", Integer.toString(batch), "--out", run.toString()));
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("LAMINA_JAVA_OPTS", String.join(" ", Parts.OUTPUT));
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    System.err.print(output);
    int status = process.waitFor();
    if (status != 0) {
      throw new IllegalStateException("training on " + on + " ended with " + status);
    }
    JsonNode result = JsonMapper.shared().readTree(output.lines().reduce((_, last) -> last).orElseThrow());
    List<Double> losses = new ArrayList<>();
    for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
      JsonNode node = JsonMapper.shared().readTree(line);
      if (node.get("kind").asString().equals("epoch")) {
        losses.add(node.get("training").get("loss").asDouble());
      }
    }
    return new Curve(losses, result.get("test_accuracy").asDouble(), result.get("images_per_second").asDouble());
  }

  /** The first images as IDX files. */
  private Path small(Path folder) throws IOException {
    Files.createDirectories(folder);
    try (Arena arena = Arena.ofShared()) {
      write(folder, "train", DataSource.open("mnist").train(arena).take(images));
      write(folder, "t10k", DataSource.open("mnist").test(arena).take(Math.max(batch, images / 5)));
    }
    return folder;
  }

  private static void write(Path folder, String part, Dataset set) throws IOException {
    try (var out = new DataOutputStream(Files.newOutputStream(folder.resolve(part + "-images-idx3-ubyte")))) {
      out.writeInt(0x0803);
      out.writeInt(set.size());
      out.writeInt(28);
      out.writeInt(28);
      for (int i = 0; i < set.size(); i++) {
        out.write(set.input(i).segment().toArray(ValueLayout.JAVA_BYTE));
      }
    }
    try (var out = new DataOutputStream(Files.newOutputStream(folder.resolve(part + "-labels-idx1-ubyte")))) {
      out.writeInt(0x0801);
      out.writeInt(set.size());
      for (int i = 0; i < set.size(); i++) {
        out.writeByte(set.label(i));
      }
    }
  }
}
