package dev.lamina.device.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Page-locked memory of the host, which a GPU reads by itself. The driver is called without JCuda, which makes a byte
 * buffer of the memory: those end at 2 GiB.
 */
@SuppressWarnings("restricted") // native calls are what this class is for
final class PinnedMemory implements AutoCloseable {
  private final CudaContext context;
  private final MethodHandle allocate;
  private final MethodHandle free;
  private final List<MemorySegment> all = new ArrayList<>();

  /** None yet; {@code driver} is the file of libcuda, which has been loaded. */
  PinnedMemory(CudaContext context, Path driver) {
    this.context = context;
    SymbolLookup library = SymbolLookup.libraryLookup(driver, Arena.global());
    Linker linker = Linker.nativeLinker();
    allocate =
        linker.downcallHandle(
            library.findOrThrow("cuMemHostAlloc"), FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
    free = linker.downcallHandle(library.findOrThrow("cuMemFreeHost"), FunctionDescriptor.of(JAVA_INT, ADDRESS));
  }

  /**
   * So many bytes of zeros, until this is closed.
   *
   * @param bytes 1 or more
   */
  MemorySegment allocate(long bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(ADDRESS);
      context.check((int) allocate.invokeExact(address, bytes, 0), "cuMemHostAlloc of " + bytes + " bytes");
      MemorySegment memory = address.get(ADDRESS, 0).reinterpret(bytes);
      all.add(memory);
      return memory.fill((byte) 0);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("a native call throws nothing", e);
    }
  }

  @Override
  public void close() {
    try {
      for (MemorySegment memory : all) {
        context.check((int) free.invokeExact(memory), "cuMemFreeHost");
      }
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("a native call throws nothing", e);
    } finally {
      all.clear();
    }
  }
}
