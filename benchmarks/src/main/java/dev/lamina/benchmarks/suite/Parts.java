package dev.lamina.benchmarks.suite;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The parts of the suite in their order: what is looked for most comes first, what takes longest for its worth last.
 */
final class Parts {
  /**
   * What belongs to the output of a part and can be read there: what the JVM knows of a crash, instead of files where
   * it ran, and letters that the locale of the machine may not have.
   */
  static final List<String> OUTPUT =
      List.of(
          "-XX:+ErrorFileToStdout", "-XX:-CreateCoredumpOnCrash", "-Dstdout.encoding=UTF-8", "-Dstderr.encoding=UTF-8");

  private static final String CONFORMANCE = "dev.lamina.conformance.";
  private static final String REPLAYS = CONFORMANCE + "ReplayConformanceTest";

  /** What takes longest, so that it does not begin when all else has ended. */
  private static final List<String> LONGEST =
      List.of(
          CONFORMANCE + "MapConformanceTest",
          CONFORMANCE + "ConvolutionSourcesConformanceTest",
          CONFORMANCE + "ConvolutionConformanceTest");

  private static final List<String> PRECISIONS = List.of("bf16", "tf32");

  private final Path bundle;
  private final Scale scale;
  private final Map<String, String> environment;
  private final boolean emulated;
  private final List<Part> parts = new ArrayList<>();

  private Parts(Path bundle, Scale scale, Map<String, String> environment, boolean emulated) {
    this.bundle = bundle;
    this.scale = scale;
    this.environment = environment;
    this.emulated = emulated;
  }

  static List<Part> of(Path bundle, Scale scale, Map<String, String> environment, boolean emulated) {
    var parts = new Parts(bundle, scale, environment, emulated);
    parts.add();
    return List.copyOf(parts.parts);
  }

  private void add() {
    check("machine", "The machine", 130, List.of("machine"));
    convolutions("bf16");
    convolutions("tf32");
    Network first = scale.networks().getFirst();
    PRECISIONS.forEach(precision -> step(first, precision, 200));
    profile(first);
    convolutions("fp32");
    List<String> conformance = new ArrayList<>(List.of("--package=dev.lamina.conformance", "--without=" + REPLAYS));
    LONGEST.forEach(name -> conformance.add("--methods=" + name));
    // The emulator's compiler is that of the host, in no hurry.
    int longest = emulated ? 300 : 150;
    tests("conformance", "Every operation, and training steps, against the reference device", longest, conformance);
    tests("gradients", "Gradients against central differences", 60, List.of("--package=dev.lamina.gradients"));
    tests(
        "replays",
        "Replays of a recorded step, bit for bit those of steps that are not",
        60,
        List.of("--methods=" + REPLAYS));
    List<Network> others = scale.networks().subList(1, scale.networks().size());
    PRECISIONS.forEach(precision -> step(others.getFirst(), precision, 120));
    String sizes = scale.products().stream().map(String::valueOf).collect(Collectors.joining(","));
    measure("products", "Matrix products", 60, List.of("products", "--sizes=" + sizes));
    measure(
        "activations",
        "Activations",
        75,
        List.of("activations", "--values=" + scale.activationValues(), "--seconds=" + scale.activationSeconds()));
    List<String> mnist = new ArrayList<>(List.of("mnist", "--epochs=" + scale.epochs(), "--least=" + scale.accuracy()));
    mnist.addAll(List.of("--images=" + scale.images(), "--batch=" + scale.batch()));
    check("mnist", "Digits, with the losses of the CPU", 120, mnist);
    for (Network network : others.subList(1, others.size())) {
      PRECISIONS.forEach(precision -> step(network, precision, 120));
    }
    memory();
  }

  /** The question that decides which part of cuDNN is asked first; its class lies among the tests. */
  private void convolutions(String precision) {
    List<String> command = new ArrayList<>(java(bundle.resolve("lib/tests.jar")));
    command.addAll(List.of("dev.lamina.device.cuda.suite.ConvolutionQuestion", "--precision=" + precision));
    command.addAll(
        emulated ? List.of("--batch=1", "--shrink=7", "--seconds=0") : List.of("--batch=256", "--seconds=0.05"));
    parts.add(
        new Part(
            "convolutions-" + precision,
            "Convolutions by cuDNN's legacy calls and by its graph API, " + precision,
            Duration.ofSeconds(75),
            command,
            environment,
            "",
            false));
  }

  /** Units of tests, of which those that run are ended a little before the part is, so that it can tell. */
  private void tests(String name, String title, int seconds, List<String> units) {
    List<String> arguments = new ArrayList<>(List.of("tests", "-D=lamina.test.device=cuda"));
    if (emulated) {
      arguments.add("-D=lamina.test.slow=true");
    }
    arguments.add("--seconds=" + (seconds - 8));
    arguments.addAll(units);
    check(name, title, seconds, arguments);
  }

  private void step(Network network, String precision, int limit) {
    String name = "step-" + network.name() + "-" + precision;
    String title = "A training step of %s, %s".formatted(network.name(), precision);
    measure(name, title, limit, stepArguments(network, precision, scale.seconds()));
  }

  private void profile(Network network) {
    measure(
        "profile-" + network.name() + "-bf16",
        "The operations of a training step of %s, bf16".formatted(network.name()),
        120,
        List.of("profile", network.name(), Integer.toString(network.batch()), "bf16", "--image=" + network.side()));
  }

  static List<String> stepArguments(Network network, String precision, double seconds) {
    return List.of(
        "step",
        network.name(),
        Integer.toString(network.batch()),
        precision,
        "--image=" + network.side(),
        "--seconds=" + seconds);
  }

  /** A few small steps under NVIDIA's checker, which is slow. */
  private void memory() {
    String sanitizer = emulated ? "" : sanitizer();
    String why =
        emulated
            ? "the emulator checks accesses itself"
            : sanitizer.isEmpty() ? "compute-sanitizer is not installed" : "";
    List<String> command =
        new ArrayList<>(
            List.of(sanitizer, "--tool", "memcheck", "--target-processes", "all", "--error-exitcode", "99"));
    command.addAll(measure());
    command.addAll(stepArguments(new Network("resnet20", 8, 32), "bf16", 0.01));
    parts.add(
        new Part(
            "memory",
            "Accesses to memory of a short training, by compute-sanitizer",
            Duration.ofSeconds(120),
            command,
            environment,
            why,
            true));
  }

  private static String sanitizer() {
    Stream<String> folders = Stream.of(System.getenv().getOrDefault("PATH", "").split(":"));
    Stream<String> cuda =
        Stream.of("CUDA_HOME", "CUDA_PATH")
            .map(System.getenv()::get)
            .filter(home -> home != null)
            .map(home -> home + "/bin");
    return Stream.of(folders, cuda, Stream.of("/usr/local/cuda/bin"))
        .flatMap(stream -> stream)
        .map(folder -> Path.of(folder, "compute-sanitizer"))
        .filter(Files::isExecutable)
        .map(Path::toString)
        .findFirst()
        .orElse("");
  }

  private void check(String name, String title, int seconds, List<String> arguments) {
    add(name, title, seconds, arguments, true);
  }

  private void measure(String name, String title, int seconds, List<String> arguments) {
    add(name, title, seconds, arguments, false);
  }

  private void add(String name, String title, int seconds, List<String> arguments, boolean check) {
    List<String> command = new ArrayList<>(measure());
    command.addAll(arguments);
    parts.add(new Part(name, title, Duration.ofSeconds(seconds), command, environment, "", check));
  }

  private List<String> measure() {
    List<String> command = new ArrayList<>(java(bundle.resolve("lib/benchmarks.jar")));
    command.add(Measure.class.getName());
    return command;
  }

  private List<String> java(Path jar) {
    List<String> command = new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/java"));
    command.add("@" + bundle.resolve("lib/java.options"));
    command.addAll(OUTPUT);
    command.addAll(List.of("--sun-misc-unsafe-memory-access=allow", "-Dlamina.bundle=" + bundle));
    command.addAll(List.of("-cp", jar + ":" + bundle.resolve("lib/lamina.jar")));
    return command;
  }
}
