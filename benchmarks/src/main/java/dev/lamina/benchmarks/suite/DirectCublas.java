package dev.lamina.benchmarks.suite;

import dev.lamina.device.cuda.library.CudaLibraries;
import dev.lamina.tensor.HostTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;

/**
 * Square matrix products of bfloat16 as a C program has them: cuBLAS in NVIDIA's own context, nothing of Lamina in
 * between. The libraries have to be loaded already.
 */
final class DirectCublas implements AutoCloseable {
  private static final MemoryLayout INT = ValueLayout.JAVA_INT;
  private static final MemoryLayout LONG = ValueLayout.JAVA_LONG;
  private static final MemoryLayout ADDRESS = ValueLayout.ADDRESS;

  /** {@code CUBLAS_OP_N}, {@code CUDA_R_16BF}, {@code CUBLAS_COMPUTE_32F}, {@code CUBLAS_GEMM_DEFAULT}. */
  private static final int PLAIN = 0;

  private static final int BFLOAT16 = 14;
  private static final int COMPUTE_32F = 68;
  private static final int DEFAULT = -1;

  private final Arena memory = Arena.ofConfined();
  private final SymbolLookup driver;
  private final SymbolLookup cublas;
  private final MethodHandle product;
  private final MethodHandle synchronize;
  private final MemorySegment handle;
  private final MemorySegment one = memory.allocateFrom(ValueLayout.JAVA_FLOAT, 1);
  private final MemorySegment zero = memory.allocateFrom(ValueLayout.JAVA_FLOAT, 0);
  private final List<Long> allocations = new ArrayList<>();

  DirectCublas(CudaLibraries libraries) {
    driver = SymbolLookup.libraryLookup(libraries.driver().path(), memory);
    cublas = SymbolLookup.libraryLookup(libraries.cublas().path(), memory);
    check("cuInit", call(function(driver, "cuInit", INT), 0));
    MemorySegment context = memory.allocate(ValueLayout.ADDRESS);
    check("cuDevicePrimaryCtxRetain", call(function(driver, "cuDevicePrimaryCtxRetain", ADDRESS, INT), context, 0));
    check("cuCtxSetCurrent", call(function(driver, "cuCtxSetCurrent", ADDRESS), context.get(ValueLayout.ADDRESS, 0)));
    synchronize = function(driver, "cuCtxSynchronize");
    MemorySegment created = memory.allocate(ValueLayout.ADDRESS);
    check("cublasCreate", call(function(cublas, "cublasCreate_v2", ADDRESS), created));
    handle = created.get(ValueLayout.ADDRESS, 0);
    product =
        function(
            cublas,
            "cublasGemmEx",
            ADDRESS,
            INT,
            INT,
            INT,
            INT,
            INT,
            ADDRESS,
            LONG,
            INT,
            INT,
            LONG,
            INT,
            INT,
            ADDRESS,
            LONG,
            INT,
            INT,
            INT,
            INT);
  }

  /** Device memory with the values of {@code tensor}. */
  long upload(HostTensor tensor) {
    long at = allocate(tensor.type().bytes());
    check(
        "cuMemcpyHtoD",
        call(
            function(driver, "cuMemcpyHtoD_v2", LONG, ADDRESS, LONG),
            at,
            tensor.segment(),
            tensor.segment().byteSize()));
    return at;
  }

  long allocate(long bytes) {
    MemorySegment address = memory.allocate(ValueLayout.JAVA_LONG);
    check("cuMemAlloc", call(function(driver, "cuMemAlloc_v2", ADDRESS, LONG), address, bytes));
    long at = address.get(ValueLayout.JAVA_LONG, 0);
    allocations.add(at);
    return at;
  }

  /** c = a·b for matrices in row-major order, which to cuBLAS is bᵀ·aᵀ in its own. */
  void multiply(int n, long a, long b, long c) {
    try {
      int status =
          (int)
              product.invokeExact(
                  handle,
                  PLAIN,
                  PLAIN,
                  n,
                  n,
                  n,
                  one,
                  b,
                  BFLOAT16,
                  n,
                  a,
                  BFLOAT16,
                  n,
                  zero,
                  c,
                  BFLOAT16,
                  n,
                  COMPUTE_32F,
                  DEFAULT);
      check("cublasGemmEx", status);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("a native function throws nothing", e);
    }
  }

  void synchronize() {
    check("cuCtxSynchronize", call(synchronize));
  }

  @SuppressWarnings("restricted")
  private static MethodHandle function(SymbolLookup library, String name, MemoryLayout... parameters) {
    MemorySegment address =
        library.find(name).orElseThrow(() -> new IllegalStateException("there is no function " + name));
    return Linker.nativeLinker().downcallHandle(address, FunctionDescriptor.of(INT, parameters));
  }

  private static int call(MethodHandle function, Object... arguments) {
    try {
      return (int) function.invokeWithArguments(arguments);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("a native function throws nothing", e);
    }
  }

  private static void check(String call, int status) {
    if (status != 0) {
      throw new IllegalStateException(call + " answered " + status);
    }
  }

  @Override
  public void close() {
    MethodHandle free = function(driver, "cuMemFree_v2", LONG);
    allocations.forEach(address -> check("cuMemFree", call(free, address)));
    check("cublasDestroy", call(function(cublas, "cublasDestroy_v2", ADDRESS), handle));
    memory.close();
  }
}
