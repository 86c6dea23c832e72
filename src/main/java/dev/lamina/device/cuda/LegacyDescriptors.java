package dev.lamina.device.cuda;

import static jcuda.jcudnn.JCudnn.cudnnCreateConvolutionDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnCreateFilterDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnCreateTensorDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnDestroyConvolutionDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnDestroyFilterDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnDestroyTensorDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnSetConvolution2dDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnSetConvolutionGroupCount;
import static jcuda.jcudnn.JCudnn.cudnnSetConvolutionMathType;
import static jcuda.jcudnn.JCudnn.cudnnSetFilter4dDescriptor;
import static jcuda.jcudnn.JCudnn.cudnnSetTensor4dDescriptor;

import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import java.util.ArrayDeque;
import java.util.Deque;
import jcuda.jcudnn.cudnnConvolutionDescriptor;
import jcuda.jcudnn.cudnnConvolutionMode;
import jcuda.jcudnn.cudnnDataType;
import jcuda.jcudnn.cudnnFilterDescriptor;
import jcuda.jcudnn.cudnnMathType;
import jcuda.jcudnn.cudnnTensorDescriptor;
import jcuda.jcudnn.cudnnTensorFormat;

/** A convolution as cuDNN's legacy calls want it described, NHWC and OHWI. */
final class LegacyDescriptors implements AutoCloseable {
  private final Cudnn cudnn;
  private final Deque<Runnable> releases = new ArrayDeque<>();
  private final cudnnTensorDescriptor image;
  private final cudnnTensorDescriptor output;
  private final cudnnFilterDescriptor filter = new cudnnFilterDescriptor();
  private final cudnnConvolutionDescriptor convolution = new cudnnConvolutionDescriptor();

  /**
   * Describes {@code shape}.
   *
   * @throws CudaException if cuDNN does not take it
   */
  LegacyDescriptors(Cudnn cudnn, ConvolutionShape shape, MathMode math) {
    this.cudnn = cudnn;
    boolean complete = false;
    try {
      int type = Cudnn.type(shape.dtype());
      image = tensor(shape.image(), type);
      output = tensor(shape.output(), type);
      describeFilter(shape.filter(), type);
      describeConvolution(shape, math);
      complete = true;
    } finally {
      if (!complete) {
        close();
      }
    }
  }

  cudnnTensorDescriptor image() {
    return image;
  }

  cudnnTensorDescriptor output() {
    return output;
  }

  cudnnFilterDescriptor filter() {
    return filter;
  }

  cudnnConvolutionDescriptor convolution() {
    return convolution;
  }

  private cudnnTensorDescriptor tensor(Shape nhwc, int type) {
    cudnnTensorDescriptor descriptor = new cudnnTensorDescriptor();
    cudnn.check(cudnnCreateTensorDescriptor(descriptor), "cudnnCreateTensorDescriptor");
    releases.push(() -> cudnnDestroyTensorDescriptor(descriptor));
    cudnn.check(
        cudnnSetTensor4dDescriptor(
            descriptor, cudnnTensorFormat.CUDNN_TENSOR_NHWC, type, nhwc.dim(0), nhwc.dim(3), nhwc.dim(1), nhwc.dim(2)),
        "cudnnSetTensor4dDescriptor of " + nhwc);
    return descriptor;
  }

  private void describeFilter(Shape ohwi, int type) {
    cudnn.check(cudnnCreateFilterDescriptor(filter), "cudnnCreateFilterDescriptor");
    releases.push(() -> cudnnDestroyFilterDescriptor(filter));
    cudnn.check(
        cudnnSetFilter4dDescriptor(
            filter, type, cudnnTensorFormat.CUDNN_TENSOR_NHWC, ohwi.dim(0), ohwi.dim(3), ohwi.dim(1), ohwi.dim(2)),
        "cudnnSetFilter4dDescriptor of " + ohwi);
  }

  private void describeConvolution(ConvolutionShape shape, MathMode math) {
    var spec = shape.spec();
    cudnn.check(cudnnCreateConvolutionDescriptor(convolution), "cudnnCreateConvolutionDescriptor");
    releases.push(() -> cudnnDestroyConvolutionDescriptor(convolution));
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

  @Override
  public void close() {
    releases.forEach(Runnable::run);
    releases.clear();
  }
}
