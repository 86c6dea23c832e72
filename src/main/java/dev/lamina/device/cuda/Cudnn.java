package dev.lamina.device.cuda;

import static jcuda.jcudnn.JCudnn.cudnnCreate;
import static jcuda.jcudnn.JCudnn.cudnnDestroy;
import static jcuda.jcudnn.JCudnn.cudnnGetErrorString;
import static jcuda.jcudnn.JCudnn.cudnnGetVersion;
import static jcuda.jcudnn.JCudnn.cudnnSetStream;

import dev.lamina.tensor.DType;
import java.util.ArrayDeque;
import java.util.Deque;
import jcuda.jcudnn.cudnnDataType;
import jcuda.jcudnn.cudnnHandle;
import jcuda.runtime.cudaStream_t;

/** A handle of cuDNN on the stream of steps, and what belongs to it. */
final class Cudnn implements AutoCloseable {
  private final CudaContext context;
  private final Handle handle = new Handle();
  private final Deque<Runnable> descriptors = new ArrayDeque<>();

  /** A handle that tells where it is. */
  private static final class Handle extends cudnnHandle {
    long address() {
      return getNativePointer();
    }
  }

  /** What a status means to a caller; the numbers differ between cuDNN 8 and 9. */
  enum Category {
    SUCCESS,
    /** This configuration is not there; another may be. */
    NOT_SUPPORTED,
    OUT_OF_MEMORY,
    /** The call itself is wrong. */
    BAD_CALL,
    FAILED;

    /** The category of a status of cuDNN {@code version}, for example 90501 or 8907. */
    static Category of(int status, long version) {
      if (status == 0) {
        return SUCCESS;
      }
      // cuDNN 9 counts by thousands: 2000 bad parameters, 3000 not supported, 4000 internal, 5000 execution.
      return version >= 90000 ? ofNine(status) : ofEight(status);
    }

    private static Category ofNine(int status) {
      return switch (status / 1000) {
        case 2 -> BAD_CALL;
        case 3 -> NOT_SUPPORTED;
        case 4 -> status == 4003 || status == 4004 ? OUT_OF_MEMORY : FAILED;
        default -> FAILED;
      };
    }

    private static Category ofEight(int status) {
      return switch (status) {
        case 2 -> OUT_OF_MEMORY;
        case 3, 5 -> BAD_CALL;
        case 6, 9 -> NOT_SUPPORTED;
        default -> FAILED;
      };
    }
  }

  Cudnn(CudaContext context) {
    this.context = context;
    try (var _ = Recordings.none()) {
      check(cudnnCreate(handle), "cudnnCreate");
    }
    check(cudnnSetStream(handle, new cudaStream_t(context.compute())), "cudnnSetStream");
  }

  /** What cuDNN calls an element type of images and filters. */
  static int type(DType dtype) {
    return switch (dtype) {
      case F32 -> cudnnDataType.CUDNN_DATA_FLOAT;
      case BF16 -> cudnnDataType.CUDNN_DATA_BFLOAT16;
      case F16 -> cudnnDataType.CUDNN_DATA_HALF;
      case F64, I32, U8 -> throw new IllegalArgumentException("no convolution of " + dtype);
    };
  }

  cudnnHandle handle() {
    return handle;
  }

  /** The handle as a number. */
  long address() {
    return handle.address();
  }

  /** Notes how something is given back when the handle is. */
  void onClose(Runnable release) {
    descriptors.push(release);
  }

  /** What cuDNN calls a status. */
  String words(int status) {
    return cudnnGetErrorString(status);
  }

  /**
   * Checks what cuDNN answered.
   *
   * @throws CudaException if it is no success
   */
  void check(int status, String call) {
    Category category = Category.of(status, status == 0 ? 0 : cudnnGetVersion());
    if (category != Category.SUCCESS) {
      throw context.libraryFailure(
          call + " failed (" + category + "): status " + status + ", " + words(status),
          category == Category.OUT_OF_MEMORY);
    }
  }

  @Override
  public void close() {
    if (!context.isLost()) {
      context.enter();
      try (var _ = Recordings.none()) {
        descriptors.forEach(Runnable::run);
        check(cudnnDestroy(handle), "cudnnDestroy");
      }
    }
    descriptors.clear();
  }
}
