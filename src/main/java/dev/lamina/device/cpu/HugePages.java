package dev.lamina.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.invoke.MethodHandle;
import java.util.Locale;

/**
 * Zeroed memory in pages of 2 MiB, where Linux has them for who asks ({@code madvise(2)}, {@code MADV_HUGEPAGE}). A
 * kernel that walks down a column, or through six rows of an image, meets a new page of 4 KiB with each step, and the
 * processor knows the places of some thousand pages only.
 */
final class HugePages {
  /** The size of a page; smaller memory is better taken elsewhere. */
  static final long PAGE = 2 << 20;

  private static final int READ_AND_WRITE = 0x1 | 0x2;
  private static final int PRIVATE_AND_ANONYMOUS = 0x02 | 0x20;
  private static final int ADVICE = 14;
  private static final long FAILED = -1;

  private static final boolean LINUX =
      System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("linux")
          && JAVA_LONG.byteSize() == Linker.nativeLinker().canonicalLayouts().get("long").byteSize();

  private HugePages() {}

  /** The system's functions, looked up where they are used first. */
  private static final class Calls {
    static final MethodHandle MMAP =
        function("mmap", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
    static final MethodHandle MUNMAP = function("munmap", JAVA_INT, JAVA_LONG, JAVA_LONG);
    static final MethodHandle MADVISE = function("madvise", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);

    @SuppressWarnings("restricted")
    private static MethodHandle function(String name, MemoryLayout result, MemoryLayout... parameters) {
      Linker linker = Linker.nativeLinker();
      return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), FunctionDescriptor.of(result, parameters));
    }
  }

  /** Whether memory of so many bytes is taken here. */
  static boolean suit(long bytes) {
    return LINUX && bytes >= PAGE;
  }

  /**
   * Zeroed memory that begins with a page.
   *
   * @throws OutOfMemoryError if there is none
   */
  static Mapping map(long bytes) {
    long all = Math.ceilDiv(bytes, PAGE) * PAGE + PAGE;
    try {
      long start = (long) Calls.MMAP.invokeExact(0L, all, READ_AND_WRITE, PRIVATE_AND_ANONYMOUS, -1, 0L);
      if (start == FAILED) {
        throw new OutOfMemoryError(bytes + " bytes of memory outside the heap");
      }
      long address = Math.ceilDiv(start, PAGE) * PAGE;
      // A kernel without huge pages refuses, and small pages it is.
      int _ = (int) Calls.MADVISE.invokeExact(address, all - PAGE, ADVICE);
      return new Mapping(address, start, all);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** Memory at {@code address}, within what was mapped. */
  record Mapping(long address, long start, long bytes) {
    void free() {
      try {
        int _ = (int) Calls.MUNMAP.invokeExact(start, bytes);
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
