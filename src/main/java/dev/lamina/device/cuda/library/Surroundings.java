package dev.lamina.device.cuda.library;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * All that the search looks at, so that tests can make it up.
 *
 * @param system the operating system as Java names it
 * @param architecture the processor as Java names it
 * @param variables environment variables
 * @param root the folder in which absolute paths begin
 * @param python the packages' folders of the interpreter on the path; asked only if all else has failed
 */
record Surroundings(
    String system, String architecture, Map<String, String> variables, Path root, Supplier<List<String>> python) {
  private static final int PYTHON_SECONDS = 10;

  Surroundings {
    variables = Map.copyOf(variables);
  }

  /** Those of this process, with these variables. */
  static Surroundings ofThisProcess(Map<String, String> variables) {
    return new Surroundings(
        System.getProperty("os.name"), System.getProperty("os.arch"), variables, Path.of("/"), Surroundings::askPython);
  }

  /** Why JCuda has no natives for this system; empty if it has. */
  Optional<String> unsupported() {
    return system.equals("Linux") && architecture.equals("amd64")
        ? Optional.empty()
        : Optional.of("CUDA is supported on Linux x86_64 (and WSL2), and this is " + system + " " + architecture);
  }

  /** The value of a variable; nothing if it is not set or empty. */
  Optional<String> variable(String name) {
    return Optional.ofNullable(variables.get(name)).filter(value -> !value.isBlank());
  }

  /** An absolute path below {@link #root}. */
  Path path(String absolute) {
    return root.resolve(absolute.replaceFirst("^/+", ""));
  }

  private static List<String> askPython() {
    String program = "import site, sys; print('\\n'.join(site.getsitepackages() + [site.getusersitepackages()]))";
    try {
      Process process =
          new ProcessBuilder("python3", "-c", program)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
              .start();
      try {
        if (!process.waitFor(PYTHON_SECONDS, TimeUnit.SECONDS)) {
          return List.of();
        }
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines().toList();
      } finally {
        process.destroyForcibly();
      }
    } catch (IOException e) {
      return List.of();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return List.of();
    }
  }
}
