package dev.lamina.device.cuda;

import static jcuda.jcudnn.cudnnBackendAttributeName.*;
import static jcuda.jcudnn.cudnnBackendDescriptorType.*;

import dev.lamina.graph.ConvSpec;
import dev.lamina.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import jcuda.jcudnn.cudnnBackendAttributeType;
import jcuda.jcudnn.cudnnConvolutionMode;
import jcuda.jcudnn.cudnnDataType;

/**
 * One convolution as an operation graph of cuDNN, without a handle yet. The number of groups follows from the channels
 * of image and filter; opposite sides may be padded differently.
 */
final class ConvolutionGraph implements AutoCloseable {
  /** Names of the operands in the graph: both inputs in the order of the operation, then what comes out. */
  static final long[] IDENTITIES = {1, 2, 3};

  /** What every operand's address is a multiple of, and all kernels with 16-byte accesses want. */
  private static final long ALIGNMENT = 16;

  private final CudnnBackend backend;
  private final List<BackendDescriptor> descriptors = new ArrayList<>();
  private final BackendDescriptor operation;

  /**
   * @throws CudaException if cuDNN does not take it
   */
  ConvolutionGraph(CudnnBackend backend, ConvolutionShape shape) {
    this.backend = backend;
    boolean complete = false;
    try {
      int type = Cudnn.type(shape.dtype());
      List<Shape> shapes = shape.operands();
      BackendDescriptor first = tensor(IDENTITIES[0], shapes.get(0), type);
      BackendDescriptor second = tensor(IDENTITIES[1], shapes.get(1), type);
      BackendDescriptor result = tensor(IDENTITIES[2], shapes.get(2), type);
      operation = operation(shape.direction(), convolution(shape.spec()), first, second, result);
      complete = true;
    } finally {
      if (!complete) {
        close();
      }
    }
  }

  /** The graph for {@code handle}, which the caller closes before this. */
  BackendDescriptor with(long handle) {
    BackendDescriptor graph = new BackendDescriptor(backend, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    try {
      return graph
          .handle(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, handle)
          .descriptors(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation)
          .finish();
    } catch (CudaException e) {
      graph.close();
      throw e;
    }
  }

  /** Extents are told in the order N, C, H, W whatever the layout, which the strides tell: channels lie closest. */
  private BackendDescriptor tensor(long identity, Shape nhwc, int type) {
    long height = nhwc.dim(1);
    long width = nhwc.dim(2);
    long channels = nhwc.dim(3);
    return descriptor(CUDNN_BACKEND_TENSOR_DESCRIPTOR)
        .number(CUDNN_ATTR_TENSOR_DATA_TYPE, cudnnBackendAttributeType.CUDNN_TYPE_DATA_TYPE, type)
        .longs(CUDNN_ATTR_TENSOR_DIMENSIONS, nhwc.dim(0), channels, height, width)
        .longs(CUDNN_ATTR_TENSOR_STRIDES, height * width * channels, 1, width * channels, channels)
        .longs(CUDNN_ATTR_TENSOR_UNIQUE_ID, identity)
        .longs(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, ALIGNMENT)
        .finish();
  }

  private BackendDescriptor convolution(ConvSpec spec) {
    return descriptor(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR)
        .number(
            CUDNN_ATTR_CONVOLUTION_COMP_TYPE,
            cudnnBackendAttributeType.CUDNN_TYPE_DATA_TYPE,
            cudnnDataType.CUDNN_DATA_FLOAT)
        .number(
            CUDNN_ATTR_CONVOLUTION_CONV_MODE,
            cudnnBackendAttributeType.CUDNN_TYPE_CONVOLUTION_MODE,
            cudnnConvolutionMode.CUDNN_CROSS_CORRELATION)
        .longs(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, 2)
        .longs(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, spec.padding().top(), spec.padding().left())
        .longs(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, spec.padding().bottom(), spec.padding().right())
        .longs(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, spec.stride().height(), spec.stride().width())
        .longs(CUDNN_ATTR_CONVOLUTION_DILATIONS, spec.dilation().height(), spec.dilation().width())
        .finish();
  }

  private BackendDescriptor operation(
      ConvolutionShape.Direction direction,
      BackendDescriptor convolution,
      BackendDescriptor first,
      BackendDescriptor second,
      BackendDescriptor result) {
    return switch (direction) {
      case FORWARD ->
          descriptor(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR)
              .descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, convolution)
              .descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, first)
              .descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, second)
              .descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, result)
              .real(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1)
              .real(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0)
              .finish();
      case INPUT_GRADIENT ->
          descriptor(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR)
              .descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, convolution)
              .descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, first)
              .descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, second)
              .descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, result)
              .real(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, 1)
              .real(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, 0)
              .finish();
      case FILTER_GRADIENT ->
          descriptor(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR)
              .descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, convolution)
              .descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, first)
              .descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, second)
              .descriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, result)
              .real(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, 1)
              .real(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA, 0)
              .finish();
    };
  }

  /** An empty one that is given back with this. */
  private BackendDescriptor descriptor(int type) {
    BackendDescriptor descriptor = new BackendDescriptor(backend, type);
    descriptors.add(descriptor);
    return descriptor;
  }

  /** The operation first, then what it consists of. */
  @Override
  public void close() {
    descriptors.reversed().forEach(BackendDescriptor::close);
  }
}
