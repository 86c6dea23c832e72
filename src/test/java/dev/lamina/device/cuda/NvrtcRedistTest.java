package dev.lamina.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** NVIDIA's run-time compiler, which needs no GPU, takes every kernel and expressions of all kinds. */
@Tag("redist")
@SuppressWarnings("restricted")
class NvrtcRedistTest {
  @ParameterizedTest
  @CsvSource({
    "12.6-9.5, 75",
    "12.6-9.5, 80",
    "12.6-9.5, 86",
    "12.6-9.5, 89",
    "12.6-9.5, 90",
    "12.3-8.9, 75",
    "12.3-8.9, 90",
    "13.1, 75",
    "13.1, 90",
    "13.1, 100",
    "13.1, 120"
  })
  void compilesEveryKernel(String name, int capability) throws IOException {
    Path folder = Path.of(System.getProperty("lamina.cuda.redist"), name, "org/bytedeco/cuda/linux-x86_64");
    List<String> failures = new ArrayList<>();
    int compiled = 0;
    var compiler = new Compiler(folder);
    for (Launch launch : KernelSamples.distinct()) {
      String said = compiler.compile(launch.source(), capability, launch.options());
      if (said.isEmpty()) {
        compiled++;
      } else {
        failures.add(launch.entry() + " " + launch.options() + ": " + said);
      }
    }
    // A compiler that takes everything would prove nothing.
    assertTrue(
        compiler
            .compile("extern \"C\" __global__ void f() { int x = ; }", capability, List.of())
            .contains("expected an expression"));
    assertEquals(List.of(), failures);
    assertTrue(compiled > 0, "no kernel was compiled");
  }

  /** The few functions of NVRTC that this takes. Handles and sizes are 8 bytes, results 4. */
  private static final class Compiler {
    private final SymbolLookup library;

    /** Both stay loaded: NVRTC keeps threads and tables. */
    Compiler(Path folder) throws IOException {
      SymbolLookup.libraryLookup(file(folder, "libnvrtc-builtins"), Arena.global());
      this.library = SymbolLookup.libraryLookup(file(folder, "libnvrtc.so."), Arena.global());
    }

    private static Path file(Path folder, String prefix) throws IOException {
      try (Stream<Path> files = Files.list(folder)) {
        return files.filter(file -> file.getFileName().toString().startsWith(prefix)).findFirst().orElseThrow();
      }
    }

    /** The compiler's log if it refuses, else nothing. */
    String compile(String source, int capability, List<String> options) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment program = arena.allocate(ValueLayout.ADDRESS);
        MemorySegment none = MemorySegment.NULL;
        check(call("nvrtcCreateProgram", program, arena.allocateFrom(source), none, 0, none, none));
        MemorySegment handle = program.get(ValueLayout.ADDRESS, 0);
        List<String> all = new ArrayList<>(options);
        all.add("--gpu-architecture=sm_" + capability);
        MemorySegment texts = arena.allocate(ValueLayout.ADDRESS, all.size());
        for (int i = 0; i < all.size(); i++) {
          texts.setAtIndex(ValueLayout.ADDRESS, i, arena.allocateFrom(all.get(i)));
        }
        int result = call("nvrtcCompileProgram", handle, all.size(), texts);
        MemorySegment size = arena.allocate(ValueLayout.JAVA_LONG);
        check(call("nvrtcGetProgramLogSize", handle, size));
        MemorySegment log = arena.allocate(size.get(ValueLayout.JAVA_LONG, 0) + 1);
        check(call("nvrtcGetProgramLog", handle, log));
        if (result == 0) {
          check(call("nvrtcGetCUBINSize", handle, size));
          assertTrue(size.get(ValueLayout.JAVA_LONG, 0) > 0, "no code");
        }
        check(call("nvrtcDestroyProgram", program));
        return result == 0 ? log.getString(0).strip() : "error " + result + ": " + log.getString(0);
      }
    }

    private static void check(int result) {
      assertEquals(0, result, "a call of NVRTC");
    }

    private int call(String name, Object... arguments) {
      ValueLayout[] types =
          Stream.of(arguments)
              .map(argument -> argument instanceof Integer ? ValueLayout.JAVA_INT : ValueLayout.ADDRESS)
              .toArray(ValueLayout[]::new);
      try {
        return (int)
            Linker.nativeLinker()
                .downcallHandle(library.find(name).orElseThrow(), FunctionDescriptor.of(ValueLayout.JAVA_INT, types))
                .invokeWithArguments(arguments);
      } catch (Throwable e) {
        throw new IllegalStateException(name, e);
      }
    }
  }
}
