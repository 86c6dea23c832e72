package dev.lamina.device.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/** NVIDIA's run-time compiler, from CUDA C++ to code for one architecture; called without a binding of its own. */
@SuppressWarnings("restricted") // native calls are what this class is for
final class Nvrtc {
  private final SymbolLookup library;
  private final MethodHandle create;
  private final MethodHandle compile;
  private final MethodHandle destroy;
  private final MethodHandle errorString;
  private final String version;

  /** The compiler in {@code file}; libnvrtc-builtins lies beside it and has been loaded. */
  Nvrtc(Path file) {
    library = SymbolLookup.libraryLookup(file, Arena.global());
    create = function("nvrtcCreateProgram", ADDRESS, ADDRESS, ADDRESS, JAVA_INT, ADDRESS, ADDRESS);
    compile = function("nvrtcCompileProgram", ADDRESS, JAVA_INT, ADDRESS);
    destroy = function("nvrtcDestroyProgram", ADDRESS);
    errorString =
        Linker.nativeLinker().downcallHandle(symbol("nvrtcGetErrorString"), FunctionDescriptor.of(ADDRESS, JAVA_INT));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment numbers = arena.allocate(JAVA_INT, 2);
      check(call(function("nvrtcVersion", ADDRESS, ADDRESS), numbers, numbers.asSlice(4)), "nvrtcVersion");
      version = numbers.get(JAVA_INT, 0) + "." + numbers.get(JAVA_INT, 4);
    }
  }

  /** Its version, for example {@code 12.6}. */
  String version() {
    return version;
  }

  /** The architectures it knows, 90 for 9.0. There are gaps between them. */
  List<Integer> architectures() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(JAVA_INT);
      check(call(function("nvrtcGetNumSupportedArchs", ADDRESS), count), "nvrtcGetNumSupportedArchs");
      MemorySegment all = arena.allocate(JAVA_INT, Math.max(1, count.get(JAVA_INT, 0)));
      check(call(function("nvrtcGetSupportedArchs", ADDRESS), all), "nvrtcGetSupportedArchs");
      return IntStream.range(0, count.get(JAVA_INT, 0)).mapToObj(i -> all.getAtIndex(JAVA_INT, i)).toList();
    }
  }

  /**
   * What is compiled, and for what.
   *
   * @param isFinal whether it is code of one architecture, else an assembly text that the driver finishes for any newer
   *     one
   * @param architecture 90 for 9.0
   */
  record Target(boolean isFinal, int architecture) {

    /**
     * The best for a GPU by a compiler that knows {@code architectures}: code of its own, else the text of the one that
     * comes nearest below.
     *
     * @throws CudaException if the GPU is older than all of them
     */
    static Target of(int capability, List<Integer> architectures) {
      int nearest = architectures.stream().mapToInt(a -> a).filter(a -> a <= capability).max().orElse(0);
      if (nearest == 0) {
        throw new CudaException(
            "NVRTC compiles for compute capability %s, this GPU has %s; install an older CUDA"
                .formatted(architectures, capability),
            false);
      }
      return new Target(nearest == capability, nearest);
    }

    /** The compiler's option. */
    String option() {
      return "--gpu-architecture=" + (isFinal ? "sm_" : "compute_") + architecture;
    }

    /** The end of a file's name. */
    String suffix() {
      return isFinal ? ".cubin" : ".ptx";
    }
  }

  /**
   * Compiles a source text.
   *
   * @param name how messages call it
   * @param options beside the one that names the target
   * @throws CudaException if the compiler refuses, with its words
   */
  byte[] compile(String name, String source, List<String> options, Target target) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment handle = arena.allocate(ADDRESS);
      check(
          call(
              create,
              handle,
              arena.allocateFrom(source),
              arena.allocateFrom(name),
              0,
              MemorySegment.NULL,
              MemorySegment.NULL),
          "nvrtcCreateProgram of " + name);
      MemorySegment program = handle.get(ADDRESS, 0);
      try {
        MemorySegment texts = arena.allocate(ADDRESS, options.size() + 1);
        texts.set(ADDRESS, 0, arena.allocateFrom(target.option()));
        for (int i = 0; i < options.size(); i++) {
          texts.setAtIndex(ADDRESS, i + 1, arena.allocateFrom(options.get(i)));
        }
        int status = call(compile, program, options.size() + 1, texts);
        if (status != 0) {
          String log = new String(bytes(program, "nvrtcGetProgramLog", arena), StandardCharsets.UTF_8);
          String words = log.replace('\0', ' ').strip();
          throw new CudaException(name + " was not compiled (" + words(status) + "): " + words, false);
        }
        return bytes(program, target.isFinal() ? "nvrtcGetCUBIN" : "nvrtcGetPTX", arena);
      } finally {
        call(destroy, handle);
      }
    }
  }

  private byte[] bytes(MemorySegment program, String getter, Arena arena) {
    MemorySegment size = arena.allocate(JAVA_LONG);
    check(call(function(getter + "Size", ADDRESS, ADDRESS), program, size), getter + "Size");
    MemorySegment bytes = arena.allocate(Math.max(1, size.get(JAVA_LONG, 0)));
    check(call(function(getter, ADDRESS, ADDRESS), program, bytes), getter);
    return bytes.asSlice(0, size.get(JAVA_LONG, 0)).toArray(JAVA_BYTE);
  }

  private MemorySegment symbol(String name) {
    return library
        .find(name)
        .orElseThrow(() -> new CudaException("NVRTC has no function " + name + "; install another version", false));
  }

  /** A function that returns a status. */
  private MethodHandle function(String name, MemoryLayout... arguments) {
    return Linker.nativeLinker().downcallHandle(symbol(name), FunctionDescriptor.of(JAVA_INT, arguments));
  }

  private static int call(MethodHandle function, Object... arguments) {
    try {
      return (int) function.invokeWithArguments(arguments);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private void check(int status, String call) {
    if (status != 0) {
      throw new CudaException(call + " failed: " + words(status), false);
    }
  }

  private String words(int status) {
    try {
      MemorySegment text = (MemorySegment) errorString.invokeExact(status);
      return text.reinterpret(256).getString(0);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}
