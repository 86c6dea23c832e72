package dev.lamina.device.cuda;

import static jcuda.driver.JCudaDriver.cuMemsetD8Async;
import static jcuda.jcudnn.JCudnn.cudnnConvolutionBackwardData;
import static jcuda.jcudnn.JCudnn.cudnnConvolutionBackwardFilter;
import static jcuda.jcudnn.JCudnn.cudnnConvolutionForward;
import static jcuda.jcudnn.JCudnn.cudnnCreateConvolutionDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnCreateFilterDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnCreateTensorDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnDestroyConvolutionDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnDestroyFilterDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnDestroyTensorDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnFindConvolutionBackwardDataAlgorithmEx;
import static jcuda.jcudnn.JCudnn.cudnnFindConvolutionBackwardFilterAlgorithmEx;
import static jcuda.jcudnn.JCudnn.cudnnFindConvolutionForwardAlgorithmEx;
import static jcuda.jcudnn.JCudnn.cudnnGetConvolutionBackwardDataAlgorithm_v7;
import static jcuda.jcudnn.JCudnn.cudnnGetConvolutionBackwardFilterAlgorithm_v7;
import static jcuda.jcudnn.JCudnn.cudnnGetConvolutionForwardAlgorithm_v7;
import static jcuda.jcudnn.JCudnn.cudnnSetConvolution2dDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnSetConvolutionGroupCount;
import static jcuda.jcudnn.JCudnn.cudnnSetConvolutionMathType;
import static jcuda.jcudnn.JCudnn.cudnnSetFilter4dDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnSetTensor4dDescriptor;

import dev.lamina.device.Step;
import dev.lamina.device.UnsupportedOnDeviceException;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import jcuda.Pointer;
import jcuda.jcudnn.cudnnConvolutionBwdDataAlgoPerf;
import jcuda.jcudnn.cudnnConvolutionBwdFilterAlgoPerf;
import jcuda.jcudnn.cudnnConvolutionDescriptor;
import jcuda.jcudnn.cudnnConvolutionFwdAlgoPerf;
import jcuda.jcudnn.cudnnConvolutionMode;
import jcuda.jcudnn.cudnnDataType;
import jcuda.jcudnn.cudnnFilterDescriptor;
import jcuda.jcudnn.cudnnMathType;
import jcuda.jcudnn.cudnnTensorDescriptor;
import jcuda.jcudnn.cudnnTensorFormat;

/** A convolution by cuDNN's legacy calls, NHWC and OHWI, with the fastest algorithm that fits in the budget. */
final class CudnnConvolution implements CudaKernel {
  /** More than there are algorithms of one direction. */
  private static final int CANDIDATES = 10;

  private final CudaContext context;
  private final Cudnn cudnn;
  private final ConvolutionShape shape;
  private final cudnnTensorDescriptor image;
  private final cudnnTensorDescriptor output;
  private final cudnnFilterDescriptor filter = new cudnnFilterDescriptor();
  private final cudnnConvolutionDescriptor convolution = new cudnnConvolutionDescriptor();
  private final Pointer one = Pointer.to(new float[] {1});
  private final Pointer zero = Pointer.to(new float[] {0});
  private final ConvolutionPlans.Choice choice;

  /** One algorithm's time. */
  private record Timing(int algorithm, int status, float milliseconds, long workspaceBytes) {}

  /**
   * Chooses an algorithm.
   *
   * @param budget bytes that its workspace may take
   * @throws UnsupportedOnDeviceException if cuDNN has none
   */
  CudnnConvolution(
      CudaContext context, Cudnn cudnn, MathMode math, ConvolutionShape shape, ConvolutionPlans plans, long budget) {
    this.context = context;
    this.cudnn = cudnn;
    this.shape = shape;
    int type = type(shape.dtype());
    image = tensor(shape.image(), type);
    output = tensor(shape.output(), type);
    describeFilter(type);
    describeConvolution(math);
    String key =
        String.join("/", context.gpu(), Long.toString(jcuda.jcudnn.JCudnn.cudnnGetVersion()), math.name(), shape.key())
            + "/"
            + budget;
    choice =
        plans
            .find(key)
            .orElseGet(() -> {
              ConvolutionPlans.Choice fastest = fastest(budget);
              plans.put(key, fastest);
              return fastest;
            });
  }

  /** Why there is no convolution of this type. */
  static Optional<String> unsupported(DType dtype) {
    return switch (dtype) {
      case F32, BF16, F16 -> Optional.empty();
      case F64, I32, U8 -> Optional.of("convolutions are in F32, BF16 or F16 on a GPU, not in " + dtype);
    };
  }

  private static int type(DType dtype) {
    return switch (dtype) {
      case F32 -> cudnnDataType.CUDNN_DATA_FLOAT;
      case BF16 -> cudnnDataType.CUDNN_DATA_BFLOAT16;
      case F16 -> cudnnDataType.CUDNN_DATA_HALF;
      case F64, I32, U8 -> throw new IllegalArgumentException("no convolution of " + dtype);
    };
  }

  private cudnnTensorDescriptor tensor(Shape nhwc, int type) {
    cudnnTensorDescriptor descriptor = new cudnnTensorDescriptor();
    cudnn.check(cudnnCreateTensorDescriptor(descriptor), "cudnnCreateTensorDescriptor");
    cudnn.onClose(() -> cudnnDestroyTensorDescriptor(descriptor));
    cudnn.check(
        cudnnSetTensor4dDescriptor(
            descriptor, cudnnTensorFormat.CUDNN_TENSOR_NHWC, type, nhwc.dim(0), nhwc.dim(3), nhwc.dim(1), nhwc.dim(2)),
        "cudnnSetTensor4dDescriptor of " + nhwc);
    return descriptor;
  }

  private void describeFilter(int type) {
    Shape ohwi = shape.filter();
    cudnn.check(cudnnCreateFilterDescriptor(filter), "cudnnCreateFilterDescriptor");
    cudnn.onClose(() -> cudnnDestroyFilterDescriptor(filter));
    cudnn.check(
        cudnnSetFilter4dDescriptor(
            filter, type, cudnnTensorFormat.CUDNN_TENSOR_NHWC, ohwi.dim(0), ohwi.dim(3), ohwi.dim(1), ohwi.dim(2)),
        "cudnnSetFilter4dDescriptor of " + ohwi);
  }

  private void describeConvolution(MathMode math) {
    var spec = shape.spec();
    cudnn.check(cudnnCreateConvolutionDescriptor(convolution), "cudnnCreateConvolutionDescriptor");
    cudnn.onClose(() -> cudnnDestroyConvolutionDescriptor(convolution));
    cudnn.check(
        cudnnSetConvolution2dDescriptor(
            convolution,
            spec.padding().top(),
            spec.padding().left(),
            spec.stride().height(),
            spec.stride().width(),
            spec.dilation().height(),
            spec.dilation().width(),
            cudnnConvolutionMode.CUDNN_CROSS_CORRELATION,
            cudnnDataType.CUDNN_DATA_FLOAT),
        "cudnnSetConvolution2dDescriptor of " + spec);
    cudnn.check(cudnnSetConvolutionGroupCount(convolution, spec.groups()), "cudnnSetConvolutionGroupCount");
    // The default would be TF32 for floats: what is computed in is never left to a library.
    int mode =
        shape.dtype() != DType.F32
            ? cudnnMathType.CUDNN_TENSOR_OP_MATH
            : math == MathMode.TF32 ? cudnnMathType.CUDNN_DEFAULT_MATH : cudnnMathType.CUDNN_FMA_MATH;
    cudnn.check(cudnnSetConvolutionMathType(convolution, mode), "cudnnSetConvolutionMathType");
  }

  /** Times all algorithms on memory of its own. */
  private ConvolutionPlans.Choice fastest(long budget) {
    Set<CudaBuffer> buffers = new HashSet<>();
    try {
      long bytes = shape.dtype().bytes();
      Pointer x = scratch(bytes * shape.image().size(), buffers);
      Pointer w = scratch(bytes * shape.filter().size(), buffers);
      Pointer y = scratch(bytes * shape.output().size(), buffers);
      long most =
          expected().stream().mapToLong(Timing::workspaceBytes).filter(bytesOf -> bytesOf <= budget).max().orElse(0);
      Pointer workspace = new Address.Plain(scratchBuffer(Math.max(most, 1), buffers).address());
      return find(x, w, y, workspace, most).stream()
          .filter(timing -> timing.status == 0 && timing.workspaceBytes <= budget)
          .findFirst()
          .map(timing -> new ConvolutionPlans.Choice(timing.algorithm, timing.workspaceBytes))
          .orElseThrow(() -> new UnsupportedOnDeviceException("cuDNN has no algorithm for " + shape));
    } finally {
      List.copyOf(buffers).forEach(CudaBuffer::close);
    }
  }

  private CudaBuffer scratchBuffer(long bytes, Set<CudaBuffer> buffers) {
    return new CudaBuffer(context, bytes, buffers);
  }

  private Pointer scratch(long bytes, Set<CudaBuffer> buffers) {
    CudaBuffer buffer = scratchBuffer(bytes, buffers);
    context.check(
        cuMemsetD8Async(new Address.OnDevice(buffer.address()), (byte) 0, bytes, context.compute()), "cuMemsetD8Async");
    return new Address.Plain(buffer.address());
  }

  /** All algorithms with what cuDNN expects of them: their workspace is known without running them. */
  private List<Timing> expected() {
    int[] count = new int[1];
    List<Timing> timings = new ArrayList<>();
    switch (shape.direction()) {
      case FORWARD -> {
        var results = new cudnnConvolutionFwdAlgoPerf[CANDIDATES];
        java.util.Arrays.setAll(results, i -> new cudnnConvolutionFwdAlgoPerf());
        cudnn.check(
            cudnnGetConvolutionForwardAlgorithm_v7(
                cudnn.handle(), image, filter, convolution, output, CANDIDATES, count, results),
            "cudnnGetConvolutionForwardAlgorithm_v7 of " + shape);
        for (int i = 0; i < count[0]; i++) {
          timings.add(new Timing(results[i].algo, results[i].status, results[i].time, results[i].memory));
        }
      }
      case INPUT_GRADIENT -> {
        var results = new cudnnConvolutionBwdDataAlgoPerf[CANDIDATES];
        java.util.Arrays.setAll(results, i -> new cudnnConvolutionBwdDataAlgoPerf());
        cudnn.check(
            cudnnGetConvolutionBackwardDataAlgorithm_v7(
                cudnn.handle(), filter, output, convolution, image, CANDIDATES, count, results),
            "cudnnGetConvolutionBackwardDataAlgorithm_v7 of " + shape);
        for (int i = 0; i < count[0]; i++) {
          timings.add(new Timing(results[i].algo, results[i].status, results[i].time, results[i].memory));
        }
      }
      case FILTER_GRADIENT -> {
        var results = new cudnnConvolutionBwdFilterAlgoPerf[CANDIDATES];
        java.util.Arrays.setAll(results, i -> new cudnnConvolutionBwdFilterAlgoPerf());
        cudnn.check(
            cudnnGetConvolutionBackwardFilterAlgorithm_v7(
                cudnn.handle(), image, output, convolution, filter, CANDIDATES, count, results),
            "cudnnGetConvolutionBackwardFilterAlgorithm_v7 of " + shape);
        for (int i = 0; i < count[0]; i++) {
          timings.add(new Timing(results[i].algo, results[i].status, results[i].time, results[i].memory));
        }
      }
    }
    return timings;
  }

  /** All algorithms, the fastest first. */
  private List<Timing> find(Pointer x, Pointer w, Pointer y, Pointer workspace, long bytes) {
    int[] count = new int[1];
    List<Timing> timings = new ArrayList<>();
    switch (shape.direction()) {
      case FORWARD -> {
        var results = new cudnnConvolutionFwdAlgoPerf[CANDIDATES];
        java.util.Arrays.setAll(results, i -> new cudnnConvolutionFwdAlgoPerf());
        cudnn.check(
            cudnnFindConvolutionForwardAlgorithmEx(
                cudnn.handle(),
                image,
                x,
                filter,
                w,
                convolution,
                output,
                y,
                CANDIDATES,
                count,
                results,
                workspace,
                bytes),
            "cudnnFindConvolutionForwardAlgorithmEx of " + shape);
        for (int i = 0; i < count[0]; i++) {
          timings.add(new Timing(results[i].algo, results[i].status, results[i].time, results[i].memory));
        }
      }
      case INPUT_GRADIENT -> {
        var results = new cudnnConvolutionBwdDataAlgoPerf[CANDIDATES];
        java.util.Arrays.setAll(results, i -> new cudnnConvolutionBwdDataAlgoPerf());
        cudnn.check(
            cudnnFindConvolutionBackwardDataAlgorithmEx(
                cudnn.handle(),
                filter,
                w,
                output,
                y,
                convolution,
                image,
                x,
                CANDIDATES,
                count,
                results,
                workspace,
                bytes),
            "cudnnFindConvolutionBackwardDataAlgorithmEx of " + shape);
        for (int i = 0; i < count[0]; i++) {
          timings.add(new Timing(results[i].algo, results[i].status, results[i].time, results[i].memory));
        }
      }
      case FILTER_GRADIENT -> {
        var results = new cudnnConvolutionBwdFilterAlgoPerf[CANDIDATES];
        java.util.Arrays.setAll(results, i -> new cudnnConvolutionBwdFilterAlgoPerf());
        cudnn.check(
            cudnnFindConvolutionBackwardFilterAlgorithmEx(
                cudnn.handle(),
                image,
                x,
                output,
                y,
                convolution,
                filter,
                w,
                CANDIDATES,
                count,
                results,
                workspace,
                bytes),
            "cudnnFindConvolutionBackwardFilterAlgorithmEx of " + shape);
        for (int i = 0; i < count[0]; i++) {
          timings.add(new Timing(results[i].algo, results[i].status, results[i].time, results[i].memory));
        }
      }
    }
    return timings;
  }

  @Override
  public long workspaceBytes() {
    return choice.workspaceBytes();
  }

  @Override
  public Step bind(long[] inputs, long[] outputs, long workspace) {
    Pointer first = new Address.Plain(inputs[0]);
    Pointer second = new Address.Plain(inputs[1]);
    Pointer result = new Address.Plain(outputs[0]);
    Pointer scratch = new Address.Plain(workspace);
    int algorithm = choice.algorithm();
    long bytes = choice.workspaceBytes();
    String call = "cuDNN's " + shape;
    return switch (shape.direction()) {
      case FORWARD ->
          () ->
              cudnn.check(
                  cudnnConvolutionForward(
                      cudnn.handle(),
                      one,
                      image,
                      first,
                      filter,
                      second,
                      convolution,
                      algorithm,
                      scratch,
                      bytes,
                      zero,
                      output,
                      result),
                  call);
      case INPUT_GRADIENT ->
          () ->
              cudnn.check(
                  cudnnConvolutionBackwardData(
                      cudnn.handle(),
                      one,
                      filter,
                      second,
                      output,
                      first,
                      convolution,
                      algorithm,
                      scratch,
                      bytes,
                      zero,
                      image,
                      result),
                  call);
      case FILTER_GRADIENT ->
          () ->
              cudnn.check(
                  cudnnConvolutionBackwardFilter(
                      cudnn.handle(),
                      one,
                      image,
                      first,
                      output,
                      second,
                      convolution,
                      algorithm,
                      scratch,
                      bytes,
                      zero,
                      filter,
                      result),
                  call);
    };
  }
}
