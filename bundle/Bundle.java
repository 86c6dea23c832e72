import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Puts Lamina, a Java that runs it, its tests and its benchmarks into one folder and packs that: {@code Bundle SOURCES
 * BUILD TESTS JMH JUNIT}, the checkout, the folder of the build with lamina.jar in it, the jar of the tests, and the
 * folders with JMH and with JUnit's console. The result is {@code BUILD/lamina-bundle} and {@code .tar.xz} beside it.
 */
final class Bundle {
  /** What may be carried to a machine: 45 MiB. */
  private static final long LARGEST = 45L << 20;

  private final Path sources;
  private final Path build;
  private final Path bundle;

  private Bundle(Path sources, Path build) {
    this.sources = sources;
    this.build = build;
    bundle = build.resolve("lamina-bundle");
  }

  public static void main(String[] args) throws Exception {
    var bundle = new Bundle(Path.of(args[0]), Path.of(args[1]));
    bundle.clear();
    bundle.jars(Path.of(args[2]), Path.of(args[3]), Path.of(args[4]));
    bundle.runtime();
    bundle.commands();
    bundle.pack();
  }

  private void clear() throws IOException {
    delete(bundle);
    Files.createDirectories(bundle.resolve("lib"));
  }

  private static void delete(Path folder) throws IOException {
    if (Files.exists(folder)) {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  private void jars(Path tests, Path jmh, Path junit) throws IOException {
    store(build.resolve("lamina.jar"), bundle.resolve("lib/lamina.jar"));
    if (!Files.exists(tests)) {
      throw new IllegalStateException(
          tests + " is missing: -DskipTests leaves tests out, -Dmaven.test.skip does too much");
    }
    copy(tests, bundle.resolve("lib/tests.jar"));
    copyAll(junit, "", bundle.resolve("lib/junit"));
    copyAll(jmh, "jmh-generator", bundle.resolve("lib/jmh"));
    Path classes = build.resolve("bundle/classes");
    delete(classes);
    Files.createDirectories(classes);
    var options =
        new ArrayList<>(
            List.of("-nowarn", "-proc:full", "--add-modules", "jdk.incubator.vector", "-d", classes.toString()));
    String ofJmh = String.join(":", files(jmh, "jar"));
    options.addAll(List.of("-cp", bundle.resolve("lib/lamina.jar") + ":" + ofJmh, "-processorpath", ofJmh));
    options.addAll(files(sources.resolve("benchmarks/src/main/java"), "java"));
    tool("javac", options);
    tool(
        "jar",
        List.of("--create", "--file", bundle.resolve("lib/benchmarks.jar").toString(), "-C", classes.toString(), "."));
  }

  /**
   * Only the modules that something in the bundle uses. Not compressed: the archive is, and that much better (21 MB
   * instead of 35 for runtime/). The libraries come without debugging symbols: --strip-debug would need objcopy for
   * nothing.
   */
  private void runtime() {
    var modules = new TreeSet<String>();
    for (String jar : files(bundle.resolve("lib"), "jar")) {
      String found =
          tool("jdeps", List.of("--multi-release", "25", "--ignore-missing-deps", "--print-module-deps", jar));
      modules.addAll(List.of(found.lines().reduce((_, last) -> last).orElseThrow().strip().split(",")));
    }
    modules.remove("");
    // Asked for as a service: JUnit looks for tests inside a jar.
    modules.add("jdk.zipfs");
    tool(
        "jlink",
        List.of(
            "--add-modules",
            String.join(",", modules),
            "--strip-java-debug-attributes",
            "--no-header-files",
            "--no-man-pages",
            "--compress",
            "zip-0",
            "--output",
            bundle.resolve("runtime").toString()));
    System.out.println("modules of the runtime: " + String.join(" ", modules));
  }

  /**
   * The same jar with its entries as they are: the archive is compressed as a whole, 3 MB better than each entry was.
   */
  private static void store(Path from, Path to) throws IOException {
    try (var jar = new ZipFile(from.toFile());
        var out = new ZipOutputStream(Files.newOutputStream(to))) {
      out.setMethod(ZipOutputStream.STORED);
      for (ZipEntry entry : Collections.list(jar.entries())) {
        var stored = new ZipEntry(entry.getName());
        stored.setSize(entry.getSize());
        stored.setCrc(entry.getCrc());
        stored.setTime(entry.getTime());
        out.putNextEntry(stored);
        jar.getInputStream(entry).transferTo(out);
        out.closeEntry();
      }
    }
  }

  private void commands() throws IOException {
    for (String name : List.of("lamina", "benchmark", "gpu-suite", "gpu-peers")) {
      Path file = bundle.resolve(name);
      copy(sources.resolve("bundle").resolve(name), file);
      if (!file.toFile().setExecutable(true, false)) {
        throw new IOException("cannot make " + file + " executable");
      }
    }
    copy(sources.resolve("src/main/launcher/java.options"), bundle.resolve("lib/java.options"));
    copy(sources.resolve("bundle/README.md"), bundle.resolve("README.md"));
  }

  private void pack() throws IOException, InterruptedException {
    Path archive = build.resolve("lamina-bundle.tar.xz");
    Process tar =
        new ProcessBuilder(
                "tar",
                "--create",
                "--use-compress-program=xz -T0",
                "--owner=0",
                "--group=0",
                "--file=" + archive,
                "--directory=" + build,
                "lamina-bundle")
            .inheritIO()
            .start();
    if (tar.waitFor() != 0) {
      throw new IOException("tar failed; is xz there? apt-get install xz-utils");
    }
    long bytes = Files.size(archive);
    System.out.printf("%s: %.1f MiB%n", archive, bytes / (double) (1 << 20));
    if (bytes > LARGEST) {
      throw new IllegalStateException("the bundle has more than " + (LARGEST >> 20) + " MiB; what has come in?");
    }
  }

  private static String tool(String name, List<String> arguments) {
    var out = new StringWriter();
    var err = new StringWriter();
    ToolProvider tool =
        ToolProvider.findFirst(name).orElseThrow(() -> new IllegalStateException("a JDK with " + name + " is needed"));
    int status = tool.run(new PrintWriter(out), new PrintWriter(err), arguments.toArray(String[]::new));
    if (status != 0) {
      throw new IllegalStateException(name + " failed:\n" + out + err);
    }
    return out.toString();
  }

  private static List<String> files(Path folder, String ending) {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.map(Path::toString).filter(file -> file.endsWith("." + ending)).sorted().toList();
    } catch (IOException e) {
      throw new IllegalStateException("cannot list " + folder + ": " + e.getMessage(), e);
    }
  }

  private static void copyAll(Path from, String unless, Path to) throws IOException {
    Files.createDirectories(to);
    for (String file : files(from, "jar")) {
      Path name = Path.of(file).getFileName();
      if (unless.isEmpty() || !name.toString().startsWith(unless)) {
        copy(Path.of(file), to.resolve(name));
      }
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
  }
}
