package dev.lamina.device.cuda.library;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/** Programs of the machine that tests use where they are installed. */
final class Tools {
  private Tools() {}

  /** Skips the test, with the package that would let it run, where the program is missing. */
  static void require(String program, String debianPackage) {
    try {
      Process process = new ProcessBuilder(program, "--version").redirectErrorStream(true).start();
      process.getInputStream().readAllBytes();
      process.waitFor(1, TimeUnit.MINUTES);
    } catch (IOException e) {
      Assumptions.abort(program + " is not installed: apt-get install " + debianPackage);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What the program writes; it must succeed. */
  static String run(Path folder, List<String> command) throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
    builder.environment().put("LC_ALL", "C");
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    Assertions.assertEquals(0, process.waitFor(), () -> command + ": " + output);
    return output;
  }
}
