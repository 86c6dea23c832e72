package dev.lamina.device.cuda;

import static jcuda.jcublas.JCublas2.cublasCreate;
import static jcuda.jcublas.JCublas2.cublasDestroy;
import static jcuda.jcublas.JCublas2.cublasGemmEx;
import static jcuda.jcublas.JCublas2.cublasGetStatusString;
import static jcuda.jcublas.JCublas2.cublasSetMathMode;
import static jcuda.jcublas.JCublas2.cublasSetStream;
import static jcuda.jcublas.JCublas2.cublasSetWorkspace;

import dev.lamina.device.Step;
import dev.lamina.graph.Op;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import jcuda.Pointer;
import jcuda.cudaDataType;
import jcuda.jcublas.cublasGemmAlgo;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasMath;
import jcuda.jcublas.cublasOperation;
import jcuda.jcublas.cublasStatus;
import jcuda.runtime.cudaStream_t;

/**
 * Matrix products by cuBLAS, on the stream of steps and with a workspace of its own, so that they can be captured.
 *
 * <p>That makes them the same bits in each run on GPUs of one architecture with as many multiprocessors: cuBLAS
 * promises it where a handle has one stream, or workspaces given by the user (cuBLAS documentation, "Results
 * reproducibility").
 */
final class Cublas implements AutoCloseable {
  /** What NVIDIA recommends for Hopper; older GPUs use less of it. */
  private static final long WORKSPACE_BYTES = 32L << 20;

  /** JCublas takes the older form of this parameter, a type; whether TF32 is allowed is said by the math mode. */
  private static final int SUMS = cudaDataType.CUDA_R_32F;

  private static final int ALLOC_FAILED = cublasStatus.CUBLAS_STATUS_ALLOC_FAILED;

  private final CudaContext context;
  private final int math;
  private final cublasHandle handle = new cublasHandle();
  private final CudaBuffer workspace;

  /** A handle whose workspace belongs to {@code owner}. */
  Cublas(CudaContext context, MathMode math, Set<CudaBuffer> owner) {
    this.context = context;
    workspace = new CudaBuffer(context, WORKSPACE_BYTES, owner);
    this.math = math == MathMode.TF32 ? cublasMath.CUBLAS_TF32_TENSOR_OP_MATH : cublasMath.CUBLAS_DEFAULT_MATH;
    try (var _ = Recordings.none()) {
      check(cublasCreate(handle), "cublasCreate");
    }
    check(cublasSetStream(handle, new cudaStream_t(context.compute())), "cublasSetStream");
    // After the stream: setting that gives the default workspace back.
    check(cublasSetWorkspace(handle, new Address.Plain(workspace.address()), WORKSPACE_BYTES), "cublasSetWorkspace");
  }

  /** Why there is no product of these types. */
  static Optional<String> unsupported(List<TensorType> inputs) {
    DType dtype = inputs.getFirst().dtype();
    return switch (dtype) {
      case F32, BF16, F16 -> Optional.empty();
      case F64, I32, U8 -> Optional.of("matrix products are in F32, BF16 or F16 on a GPU, not in " + dtype);
    };
  }

  /** A product of two row-major matrices. */
  CudaKernel product(Op.MatMul op, List<TensorType> inputs) {
    return (in, out, workspace) -> bind(op, inputs, in, out);
  }

  /**
   * cuBLAS thinks in columns, where a row-major matrix is its own transpose: {@code Cᵀ = op(B)ᵀ·op(A)ᵀ} needs the
   * factors exchanged and nothing else.
   */
  private Step bind(Op.MatMul op, List<TensorType> types, long[] in, long[] out) {
    int aColumns = types.get(0).shape().dim(1);
    int bColumns = types.get(1).shape().dim(1);
    int rows = op.transposeA() ? aColumns : types.get(0).shape().dim(0);
    int inner = op.transposeA() ? types.get(0).shape().dim(0) : aColumns;
    int columns = op.transposeB() ? types.get(1).shape().dim(0) : bColumns;
    DType dtype = types.getFirst().dtype();
    int type = type(dtype);
    Pointer one = Pointer.to(new float[] {1});
    Pointer zero = Pointer.to(new float[] {0});
    Pointer a = new Address.Plain(in[0]);
    Pointer b = new Address.Plain(in[1]);
    Pointer c = new Address.Plain(out[0]);
    String call = "cublasGemmEx of " + op.label() + " " + types;
    int mode = op.exact() ? cublasMath.CUBLAS_DEFAULT_MATH : math;
    return () -> {
      // The handle is that of all products. This is a write to the host's memory, and no part of a captured step.
      check(cublasSetMathMode(handle, mode), "cublasSetMathMode");
      check(
          cublasGemmEx(
              handle,
              op.transposeB() ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N,
              op.transposeA() ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N,
              columns,
              rows,
              inner,
              one,
              b,
              type,
              bColumns,
              a,
              type,
              aColumns,
              zero,
              c,
              type,
              columns,
              SUMS,
              cublasGemmAlgo.CUBLAS_GEMM_DEFAULT),
          call);
    };
  }

  private static int type(DType dtype) {
    return switch (dtype) {
      case F32 -> cudaDataType.CUDA_R_32F;
      case BF16 -> cudaDataType.CUDA_R_16BF;
      case F16 -> cudaDataType.CUDA_R_16F;
      case F64, I32, U8 -> throw new IllegalArgumentException("no product of " + dtype);
    };
  }

  private void check(int status, String call) {
    if (status != 0) {
      throw context.libraryFailure(
          call + " failed: status " + status + ", " + cublasGetStatusString(status), status == ALLOC_FAILED);
    }
  }

  @Override
  public void close() {
    if (!context.isLost()) {
      context.enter();
      try (var _ = Recordings.none()) {
        check(cublasDestroy(handle), "cublasDestroy");
      }
    }
    workspace.close();
  }
}
