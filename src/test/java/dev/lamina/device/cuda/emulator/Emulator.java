package dev.lamina.device.cuda.emulator;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/**
 * The stand-ins for NVIDIA's libraries in {@code native/emulator}, built by {@code make} when a test first asks for
 * them. Without a compiler the test is skipped with the reason; {@code LAMINA_REQUIRE=emulator} makes that a failure.
 */
public final class Emulator {
  private static final Path SOURCE = Path.of("native", "emulator").toAbsolutePath();
  private static final List<String> PROGRAMS = List.of("make", "g++");

  private Emulator() {}

  /** Built at most once in a virtual machine. */
  private static final class Built {
    static final Path FOLDER = build();

    private static Path build() {
      Path folder = Path.of("target", "emulator").toAbsolutePath();
      make(folder, "all");
      return folder;
    }
  }

  /** The folder with the libraries; skips the test that asks where there can be none. */
  public static Path folder() {
    unavailable().ifPresent(Emulator::absent);
    return Built.FOLDER;
  }

  /** A folder with the libraries of other versions: CUDA 12 or 13, cuDNN 8 or 9. */
  public static Path folder(int cuda, int cudnn) {
    unavailable().ifPresent(Emulator::absent);
    Path folder = Path.of("target", "emulator-" + cuda + "-" + cudnn).toAbsolutePath();
    make(folder, "all", "CUDA=" + cuda, "CUDNN=" + cudnn);
    return folder;
  }

  /** Why the libraries cannot be built here; empty if they can. */
  public static Optional<String> unavailable() {
    if (!System.getProperty("os.name").equals("Linux") || !System.getProperty("os.arch").equals("amd64")) {
      return Optional.of("the emulator is for Linux on x86_64");
    }
    return PROGRAMS.stream()
        .filter(program -> !installed(program))
        .findFirst()
        .map(program -> program + " is not installed: apt-get install make g++");
  }

  /** Lets {@code make} bring goals up to date in {@code folder}; fails the test with what it says. */
  static String make(Path folder, String... goals) {
    try {
      Files.createDirectories(folder);
      try (FileChannel channel =
              FileChannel.open(folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
          var _ = channel.lock()) {
        List<String> command = new ArrayList<>(List.of("make", "-j2", "-C", SOURCE.toString(), "OUT=" + folder));
        command.addAll(List.of(goals));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        Assertions.assertEquals(0, process.waitFor(), () -> command + ":\n" + output);
        return output;
      }
    } catch (IOException e) {
      throw new IllegalStateException("make in " + folder + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static boolean installed(String program) {
    return Stream.of(System.getenv().getOrDefault("PATH", "").split(":"))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
  }

  private static void absent(String reason) {
    String required = System.getenv().getOrDefault("LAMINA_REQUIRE", "").toLowerCase(Locale.ROOT);
    if (Arrays.stream(required.split(",")).map(String::strip).anyMatch("emulator"::equals)) {
      Assertions.fail("emulator is required by LAMINA_REQUIRE, but: " + reason);
    }
    Assumptions.abort("emulator: " + reason);
  }

  /**
   * Gives the emulated GPU of this process another size, whoever has made what by then: all of 4 GiB would be filled
   * with marks.
   *
   * @param mebibytes as {@code LAMINA_EMULATOR_MEMORY_MIB} has it; null for the usual size
   */
  @SuppressWarnings("restricted") // of the C library, the one way to an environment that is read later
  public static void setMemory(String mebibytes) {
    Linker linker = Linker.nativeLinker();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocateFrom("LAMINA_EMULATOR_MEMORY_MIB");
      if (mebibytes == null) {
        linker
            .downcallHandle(linker.defaultLookup().findOrThrow("unsetenv"), FunctionDescriptor.of(JAVA_INT, ADDRESS))
            .invoke(name);
      } else {
        linker
            .downcallHandle(
                linker.defaultLookup().findOrThrow("setenv"),
                FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_INT))
            .invoke(name, arena.allocateFrom(mebibytes), 1);
      }
    } catch (Throwable e) {
      throw new IllegalStateException("a native call throws nothing", e);
    }
  }
}
