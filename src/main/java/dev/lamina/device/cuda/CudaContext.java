package dev.lamina.device.cuda;

import static jcuda.driver.JCudaDriver.cuCtxSetCurrent;
import static jcuda.driver.JCudaDriver.cuDeviceGet;
import static jcuda.driver.JCudaDriver.cuDeviceGetAttribute;
import static jcuda.driver.JCudaDriver.cuDeviceGetName;
import static jcuda.driver.JCudaDriver.cuDevicePrimaryCtxRelease;
import static jcuda.driver.JCudaDriver.cuDevicePrimaryCtxRetain;
import static jcuda.driver.JCudaDriver.cuGetErrorName;
import static jcuda.driver.JCudaDriver.cuGetErrorString;
import static jcuda.driver.JCudaDriver.cuInit;
import static jcuda.driver.JCudaDriver.cuMemGetInfo;
import static jcuda.driver.JCudaDriver.cuStreamCreate;
import static jcuda.driver.JCudaDriver.cuStreamDestroy;
import static jcuda.driver.JCudaDriver.cuStreamQuery;
import static jcuda.driver.JCudaDriver.cuStreamSynchronize;

import dev.lamina.device.OutOfDeviceMemoryException;
import java.nio.charset.StandardCharsets;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;

/**
 * One GPU's primary context with two streams: one that computes, one that copies what comes in beside it. Threads that
 * call the driver {@link #enter} first.
 */
final class CudaContext implements AutoCloseable {
  /** The environment variable that asks for a wait after each operation. */
  static final String WAIT = "LAMINA_CUDA_SYNC";

  // Errors that JCuda is too old to know.
  private static final int CONTAINED = 226;
  private static final int TENSOR_MEMORY_LEAK = 721;

  private final int ordinal;
  private final CUdevice device = new CUdevice();
  private final CUcontext context = new CUcontext();
  private final CUstream compute = new CUstream();
  private final CUstream copies = new CUstream();
  private final String gpu;
  private final int capability;
  private final boolean waitsForEach;
  private volatile CudaException lost;
  private volatile String running = "";

  /**
   * Makes contact with GPU number {@code ordinal}.
   *
   * @param waitsForEach whether every operation is waited for, so that what it does wrong is known to be its doing
   * @throws CudaException if the driver does not answer, or there is no such GPU
   */
  CudaContext(int ordinal, boolean waitsForEach) {
    this.ordinal = ordinal;
    this.waitsForEach = waitsForEach;
    check(cuInit(0), "cuInit");
    check(cuDeviceGet(device, ordinal), "cuDeviceGet");
    byte[] name = new byte[256];
    check(cuDeviceGetName(name, name.length, device), "cuDeviceGetName");
    gpu = new String(name, StandardCharsets.UTF_8).replaceAll("\0.*", "");
    capability =
        10 * attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
            + attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    check(cuDevicePrimaryCtxRetain(context, device), "cuDevicePrimaryCtxRetain");
    enter();
    check(cuStreamCreate(compute, CUstream_flags.CU_STREAM_NON_BLOCKING), "cuStreamCreate");
    check(cuStreamCreate(copies, CUstream_flags.CU_STREAM_NON_BLOCKING), "cuStreamCreate");
  }

  /** Where steps run. */
  CUstream compute() {
    return compute;
  }

  /** Where inputs of coming steps are copied. */
  CUstream copies() {
    return copies;
  }

  int ordinal() {
    return ordinal;
  }

  /** What NVIDIA calls the GPU. */
  String gpu() {
    return gpu;
  }

  /** Compute capability, 80 for 8.0. */
  int capability() {
    return capability;
  }

  /** A {@link CUdevice_attribute}. */
  int attribute(int attribute) {
    int[] value = new int[1];
    check(cuDeviceGetAttribute(value, attribute, device), "cuDeviceGetAttribute");
    return value[0];
  }

  /**
   * Whether it seems to drive a display: the system then ends kernels that take too long. On Windows Subsystem for
   * Linux that holds for any GPU, and any may draw windows.
   */
  boolean drivesDisplay() {
    return attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_KERNEL_EXEC_TIMEOUT) != 0;
  }

  /** Bytes free on the GPU, and bytes it has. */
  long[] memory() {
    enter();
    long[] free = new long[1];
    long[] total = new long[1];
    check(cuMemGetInfo(free, total), "cuMemGetInfo");
    return new long[] {free[0], total[0]};
  }

  /**
   * Makes the context the calling thread's.
   *
   * @throws CudaException if the context has been lost
   */
  void enter() {
    if (lost != null) {
      throw new CudaException(lost.getMessage() + "; the GPU cannot be used any more in this process", true);
    }
    check(cuCtxSetCurrent(context), "cuCtxSetCurrent");
  }

  /** Whether nothing is recorded and each operation waited for. */
  boolean waitsForEach() {
    return waitsForEach;
  }

  /** Notes what is started now: a GPU tells of a fault in it later, in answer to whatever is asked then. */
  void begin(String name) {
    running = name;
  }

  /** Waits for the steps. */
  void synchronize(String during) {
    check(cuStreamSynchronize(compute), during);
  }

  /**
   * Checks what the driver answered.
   *
   * @param call the call, with what it was for
   * @throws OutOfDeviceMemoryException if it found no memory: code that is loaded when it is first used takes some too
   * @throws CudaException if it is no success otherwise
   */
  void check(int status, String call) {
    if (status != CUresult.CUDA_SUCCESS) {
      throw status == CUresult.CUDA_ERROR_OUT_OF_MEMORY ? outOfMemory(call) : failure(status, call);
    }
  }

  private OutOfDeviceMemoryException outOfMemory(String call) {
    return new OutOfDeviceMemoryException(
        "%s: %s has no memory left for it (%d bytes free)".formatted(call, gpu, memory()[0]));
  }

  private CudaException failure(int status, String call) {
    String[] name = {null};
    String[] text = {null};
    cuGetErrorName(status, name);
    cuGetErrorString(status, text);
    String where =
        !isSticky(status) || waitsForEach || running.isEmpty()
            ? ""
            : "; what went wrong lies in " + running + " or before it, run again with " + WAIT + "=1 to learn where";
    var failure =
        new CudaException(
            call
                + " failed: "
                + (name[0] == null ? "status " + status : name[0])
                + (text[0] == null ? "" : ", " + text[0])
                + where,
            isSticky(status));
    // What is asked afterwards fails likewise, and tells less.
    if (failure.sticky() && lost == null) {
      lost = failure;
    }
    return failure;
  }

  /**
   * What to throw when a library says no: if the context is lost, that is why.
   *
   * @param memory whether it says that there is no memory
   */
  RuntimeException libraryFailure(String message, boolean memory) {
    int status = cuStreamQuery(compute);
    if (isSticky(status)) {
      return failure(status, message);
    }
    return memory ? outOfMemory(message) : new CudaException(message, false);
  }

  /** Errors after which a context answers every call with the same. */
  private static boolean isSticky(int status) {
    return switch (status) {
      case CUresult.CUDA_ERROR_DEINITIALIZED,
          CUresult.CUDA_ERROR_ECC_UNCORRECTABLE,
          CUresult.CUDA_ERROR_ILLEGAL_ADDRESS,
          CUresult.CUDA_ERROR_LAUNCH_TIMEOUT,
          CUresult.CUDA_ERROR_CONTEXT_IS_DESTROYED,
          CUresult.CUDA_ERROR_ASSERT,
          CUresult.CUDA_ERROR_HARDWARE_STACK_ERROR,
          CUresult.CUDA_ERROR_ILLEGAL_INSTRUCTION,
          CUresult.CUDA_ERROR_MISALIGNED_ADDRESS,
          CUresult.CUDA_ERROR_INVALID_ADDRESS_SPACE,
          CUresult.CUDA_ERROR_INVALID_PC,
          CUresult.CUDA_ERROR_LAUNCH_FAILED,
          CUresult.CUDA_ERROR_MPS_CLIENT_TERMINATED,
          CUresult.CUDA_ERROR_EXTERNAL_DEVICE,
          CONTAINED,
          TENSOR_MEMORY_LEAK ->
          true;
      default -> false;
    };
  }

  /** Whether the context has been lost: nothing needs to be given back then, and nothing could. */
  boolean isLost() {
    return lost != null;
  }

  @Override
  public void close() {
    if (!isLost()) {
      enter();
      check(cuStreamDestroy(copies), "cuStreamDestroy");
      check(cuStreamDestroy(compute), "cuStreamDestroy");
    }
    int status = cuDevicePrimaryCtxRelease(device);
    if (!isLost()) {
      check(status, "cuDevicePrimaryCtxRelease");
    }
  }
}
