package dev.lamina.device.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The functions of cuDNN's graph API, whose attributes are untyped memory, which JCuda's pointers cannot read back.
 * Handles and descriptors are numbers here, so that a call makes no object.
 */
@SuppressWarnings("restricted") // native calls are what this class is for
final class CudnnBackend {
  private static final int LONGEST_WORDS = 1024;

  private final SymbolLookup library;
  private final MethodHandle create;
  private final MethodHandle destroy;
  private final MethodHandle finish;
  private final MethodHandle set;
  private final MethodHandle get;
  private final MethodHandle execute;
  private final MethodHandle errorString;

  /** Empty before cuDNN 9. */
  private final Optional<MethodHandle> lastError;

  private final long version;
  private final Failure failure;

  /** What to throw for a message, which may hide that the context is lost; {@code memory} if it is about memory. */
  @FunctionalInterface
  interface Failure {
    RuntimeException of(String message, boolean memory);
  }

  /**
   * The API of the library in {@code file}, which has been loaded.
   *
   * @param failure what to throw when it says no
   * @throws CudaException if it lacks a function
   */
  CudnnBackend(Path file, Failure failure) {
    this.failure = failure;
    library = SymbolLookup.libraryLookup(file, Arena.global());
    create = function("cudnnBackendCreateDescriptor", JAVA_INT, JAVA_INT, ADDRESS);
    destroy = function("cudnnBackendDestroyDescriptor", JAVA_INT, JAVA_LONG);
    finish = function("cudnnBackendFinalize", JAVA_INT, JAVA_LONG);
    set = function("cudnnBackendSetAttribute", JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS);
    get = function("cudnnBackendGetAttribute", JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS, ADDRESS);
    execute = function("cudnnBackendExecute", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    errorString = function("cudnnGetErrorString", ADDRESS, JAVA_INT);
    lastError =
        library
            .find("cudnnGetLastErrorString")
            .map(symbol -> Linker.nativeLinker().downcallHandle(symbol, FunctionDescriptor.ofVoid(ADDRESS, JAVA_LONG)));
    try {
      version = (long) function("cudnnGetVersion", JAVA_LONG).invokeExact();
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** A new descriptor's address. */
  long create(int type) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment descriptor = arena.allocate(ADDRESS);
      check((int) create.invokeExact(type, descriptor), "cudnnBackendCreateDescriptor " + type);
      return descriptor.get(ADDRESS, 0).address();
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Gives a descriptor back; one of a context that is lost is gone already. */
  void destroy(long descriptor) {
    try {
      check((int) destroy.invokeExact(descriptor), "cudnnBackendDestroyDescriptor");
    } catch (CudaException e) {
      if (!e.sticky()) {
        throw e;
      }
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  void finish(long descriptor, String what) {
    try {
      check((int) finish.invokeExact(descriptor), "cudnnBackendFinalize of " + what);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Sets {@code count} elements of an attribute, {@code type} being a {@code cudnnBackendAttributeType}. */
  void set(long descriptor, int attribute, int type, long count, MemorySegment elements) {
    try {
      check(
          (int) set.invokeExact(descriptor, attribute, type, count, elements), "cudnnBackendSetAttribute " + attribute);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Reads at most {@code room} elements of an attribute and returns how many were written. */
  int get(long descriptor, int attribute, int type, long room, MemorySegment elements) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(JAVA_LONG);
      check(
          (int) get.invokeExact(descriptor, attribute, type, room, count, elements),
          "cudnnBackendGetAttribute " + attribute);
      return Math.toIntExact(Math.min(room, count.get(JAVA_LONG, 0)));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Enqueues a plan on the stream of {@code handle}. */
  void execute(long handle, long plan, long variantPack, String what) {
    try {
      int status = (int) execute.invokeExact(handle, plan, variantPack);
      if (status != 0) {
        check(status, what);
      }
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  private MethodHandle function(String name, MemoryLayout result, MemoryLayout... arguments) {
    MemorySegment symbol =
        library
            .find(name)
            .orElseThrow(() -> new CudaException("cuDNN has no function " + name + "; install another version", false));
    return Linker.nativeLinker().downcallHandle(symbol, FunctionDescriptor.of(result, arguments));
  }

  private void check(int status, String call) {
    Cudnn.Category category = Cudnn.Category.of(status, version);
    if (category != Cudnn.Category.SUCCESS) {
      throw failure.of(
          call + " failed (" + category + "): status " + status + ", " + words(status),
          category == Cudnn.Category.OUT_OF_MEMORY);
    }
  }

  private String words(int status) {
    try {
      MemorySegment text = (MemorySegment) errorString.invokeExact(status);
      String words = text.reinterpret(256).getString(0);
      return lastError.isEmpty() ? words : words + ", " + lastWords(lastError.get());
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** What cuDNN says about the last error of this thread, on one line. */
  private static String lastWords(MethodHandle lastError) throws Throwable {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocate(LONGEST_WORDS);
      lastError.invokeExact(text, (long) LONGEST_WORDS);
      return text.getString(0).strip().replaceAll("\\s+", " ");
    }
  }

  /** What a native call may throw: nothing but what is wrong on our side. */
  private static RuntimeException unexpected(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return e instanceof RuntimeException ours ? ours : new IllegalStateException(e);
  }
}
