package dev.lamina.benchmarks.suite;

import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.MethodModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Runs tests with JUnit's console: each unit, a class or a method, in a process of its own, many of them beside each
 * other. With a new GPU most of the time is spent on compiling kernels, each by one thread.
 */
@Command(name = "tests", description = "Runs tests and prints one JSON object for each unit, as soon as it ends.")
final class JUnitMeasure implements Callable<Integer> {
  @Option(names = "--methods", description = "Classes of which each method is a unit, the longest first.")
  private List<String> apart = List.of();

  @Option(names = "--package", description = "Of which all other classes are units.")
  private String folder = "";

  @Option(names = "--without", description = "A class of the package that is left out.")
  private String without = "";

  @Option(names = "-D", description = "System properties of the tests.")
  private List<String> properties = List.of();

  @Option(names = "--seconds", defaultValue = "3600", description = "After so many, what still runs is killed.")
  private int seconds;

  private final Path lib = Path.of(System.getProperty("lamina.bundle"), "lib");

  @Override
  public Integer call() throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    var lines = new JsonLines(System.out);
    List<Future<TestUnit>> running = new ArrayList<>();
    // The other processors are left to the driver and to the compilers of the virtual machines.
    int atOnce = Math.max(1, Runtime.getRuntime().availableProcessors() * 3 / 4);
    try (ExecutorService threads = Executors.newFixedThreadPool(atOnce)) {
      for (String selector : selectors()) {
        running.add(
            threads.submit(() -> {
              var unit = new TestUnit(selector);
              unit.run(command(selector), end);
              lines.write(unit.line());
              return unit;
            }));
      }
    }
    int passed = 0;
    List<String> unclean = new ArrayList<>();
    for (Future<TestUnit> one : running) {
      TestUnit unit = one.get();
      passed += unit.passed();
      if (!unit.isClean()) {
        unclean.add(unit.toString());
      }
    }
    if (!unclean.isEmpty()) {
      System.err.println("did not pass: " + String.join(", ", unclean));
    }
    // A run in which everything was skipped proves nothing.
    return unclean.isEmpty() && passed > 0 ? 0 : 1;
  }

  /** The units, as JUnit's console calls them. */
  private List<String> selectors() throws IOException {
    List<String> selectors = new ArrayList<>();
    try (var jar = new ZipFile(lib.resolve("tests.jar").toFile())) {
      for (String name : apart) {
        try (InputStream in = jar.getInputStream(jar.getEntry(name.replace('.', '/') + ".class"))) {
          ClassFile.of().parse(in.readAllBytes()).methods().stream()
              .filter(JUnitMeasure::isTest)
              .forEach(method -> selectors.add("method:" + name + "#" + method.methodName().stringValue()));
        }
      }
      String classes = folder.replace('.', '/') + "/[^/$]*Test\\.class";
      jar.stream()
          .map(ZipEntry::getName)
          .filter(name -> name.matches(classes))
          .map(name -> name.replaceFirst("\\.class$", "").replace('/', '.'))
          .filter(name -> !name.equals(without) && !apart.contains(name))
          .sorted()
          .forEach(name -> selectors.add("class:" + name));
    }
    return selectors;
  }

  private static boolean isTest(MethodModel method) {
    return method.findAttribute(Attributes.runtimeVisibleAnnotations()).stream()
        .flatMap(attribute -> attribute.annotations().stream())
        .anyMatch(one -> one.className().stringValue().matches("Lorg/junit/jupiter/.*Test(Factory)?;"));
  }

  private List<String> command(String selector) throws IOException {
    List<String> command = new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/java"));
    command.addAll(List.of("@" + lib.resolve("java.options"), "-Xmx3g"));
    command.addAll(Parts.OUTPUT);
    properties.forEach(property -> command.add("-D" + property));
    String console;
    try (Stream<Path> jars = Files.list(lib.resolve("junit"))) {
      console = jars.findFirst().orElseThrow().toString();
    }
    command.addAll(List.of("-cp", lib.resolve("tests.jar") + ":" + lib.resolve("lamina.jar") + ":" + console));
    command.addAll(List.of("org.junit.platform.console.ConsoleLauncher", "execute", "--disable-banner"));
    command.addAll(List.of("--disable-ansi-colors", "--details=testfeed", "--fail-if-no-tests"));
    command.add("--select=" + selector);
    return command;
  }
}
