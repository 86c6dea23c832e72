package dev.lamina.device.cuda;

import dev.lamina.device.cuda.library.CudaFacts;
import dev.lamina.device.cuda.library.CudaUnavailableException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;
import jcuda.jcudnn.JCudnn;

/** The first calls inside the class loader of the CUDA device: natives are loaded, versions and GPUs asked for. */
public final class CudaEntry {
  private static final int NAME_LENGTH = 256;

  private CudaEntry() {}

  /** Loads a library for this class loader, which natives belong to; those it needs must be loaded already. */
  @SuppressWarnings("restricted")
  public static void load(Path library) {
    System.load(library.toString());
  }

  /**
   * What is there.
   *
   * @param nvrtc the compiler's library
   * @param doing is told what comes next, for the case that it is the last
   * @throws CudaUnavailableException if the driver says no
   */
  public static CudaFacts facts(Path nvrtc, Consumer<String> doing) {
    doing.accept("asking for the version of NVRTC");
    String compiler = nvrtcVersion(nvrtc);
    doing.accept("asking for the version of cuBLAS");
    String products = IntStream.range(0, 3).mapToObj(CudaEntry::cublasProperty).collect(Collectors.joining("."));
    doing.accept("asking for the version of cuDNN");
    int convolutions = Math.toIntExact(JCudnn.cudnnGetVersion());
    int convolutionsCuda = Math.toIntExact(JCudnn.cudnnGetCudartVersion());
    doing.accept("starting the driver");
    JCudaDriver.setExceptionsEnabled(false);
    require("cuInit", JCudaDriver.cuInit(0));
    int driver = number("cuDriverGetVersion", JCudaDriver::cuDriverGetVersion);
    int count = number("cuDeviceGetCount", JCudaDriver::cuDeviceGetCount);
    List<CudaFacts.Gpu> gpus = new ArrayList<>();
    for (int ordinal = 0; ordinal < count; ordinal++) {
      doing.accept("opening GPU " + ordinal);
      gpus.add(gpu(ordinal));
    }
    return new CudaFacts(driver, products, convolutions, convolutionsCuda, compiler, gpus);
  }

  private static String cublasProperty(int property) {
    int[] value = new int[1];
    int status = JCublas2.cublasGetProperty(property, value);
    return status == 0 ? Integer.toString(value[0]) : "?";
  }

  private static CudaFacts.Gpu gpu(int ordinal) {
    var device = new CUdevice();
    require("cuDeviceGet", JCudaDriver.cuDeviceGet(device, ordinal));
    byte[] name = new byte[NAME_LENGTH];
    require("cuDeviceGetName", JCudaDriver.cuDeviceGetName(name, NAME_LENGTH, device));
    long[] free = new long[1];
    long[] total = new long[1];
    require("cuDeviceTotalMem", JCudaDriver.cuDeviceTotalMem(total, device));
    int major = attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
    int minor = attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    var context = new CUcontext();
    int result = JCudaDriver.cuDevicePrimaryCtxRetain(context, device);
    if (result == CUresult.CUDA_SUCCESS) {
      require("cuCtxSetCurrent", JCudaDriver.cuCtxSetCurrent(context));
      result = JCudaDriver.cuMemGetInfo(free, new long[1]);
      JCudaDriver.cuDevicePrimaryCtxRelease(device);
    }
    String problem = result == CUresult.CUDA_SUCCESS ? "" : errorText(result).replace(',', ';');
    boolean display = attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_KERNEL_EXEC_TIMEOUT) != 0;
    return new CudaFacts.Gpu(text(name), 10 * major + minor, free[0], total[0], display, problem);
  }

  private static int attribute(CUdevice device, int attribute) {
    return number("cuDeviceGetAttribute", value -> JCudaDriver.cuDeviceGetAttribute(value, attribute, device));
  }

  private static int number(String call, ToIntFunction<int[]> function) {
    int[] value = new int[1];
    require(call, function.applyAsInt(value));
    return value[0];
  }

  private static void require(String call, int result) {
    if (result != CUresult.CUDA_SUCCESS) {
      throw new CudaUnavailableException("NVIDIA's driver refuses: " + call + ": " + errorText(result));
    }
  }

  private static String errorText(int result) {
    String[] name = {"error " + result};
    String[] text = {""};
    JCudaDriver.cuGetErrorName(result, name);
    JCudaDriver.cuGetErrorString(result, text);
    return name[0] + " (" + text[0] + ")";
  }

  private static String text(byte[] bytes) {
    int end = 0;
    while (end < bytes.length && bytes[end] != 0) {
      end++;
    }
    return new String(Arrays.copyOf(bytes, end), StandardCharsets.UTF_8);
  }

  /** {@code nvrtcResult nvrtcVersion(int *major, int *minor)}. */
  @SuppressWarnings("restricted")
  private static String nvrtcVersion(Path library) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment function =
          SymbolLookup.libraryLookup(library, arena)
              .find("nvrtcVersion")
              .orElseThrow(() -> new CudaUnavailableException(library + " has no function nvrtcVersion"));
      MemorySegment numbers = arena.allocate(ValueLayout.JAVA_INT, 2);
      int result =
          (int)
              Linker.nativeLinker()
                  .downcallHandle(
                      function, FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS))
                  .invokeExact(numbers, numbers.asSlice(4));
      if (result != 0) {
        throw new CudaUnavailableException(library + ": nvrtcVersion answered " + result);
      }
      return numbers.getAtIndex(ValueLayout.JAVA_INT, 0) + "." + numbers.getAtIndex(ValueLayout.JAVA_INT, 1);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("a native function throws nothing", e);
    }
  }
}
