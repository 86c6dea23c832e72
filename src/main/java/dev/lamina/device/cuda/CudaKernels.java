package dev.lamina.device.cuda;

import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Op;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.List;
import java.util.Optional;

/**
 * Lamina's own kernels for GPUs: every operation but matrix products and those convolutions that are not depthwise.
 * Knows no driver: what it returns has to be compiled, and started in order.
 */
public final class CudaKernels {
  private static final String A_LIBRARYS = "a library runs it, no kernel of Lamina's";
  private static final String THE_PARTS = "the CUDA device runs the parts";

  /** The kernels. */
  public CudaKernels() {}

  /** Whether {@code op} is a convolution, or one of its gradients, that has a kernel here. */
  public static boolean isDepthwise(Op op, List<TensorType> types) {
    return switch (op) {
      case Op.Conv2d(ConvSpec spec) -> DepthwiseLaunches.isDepthwise(spec, types.getFirst().shape());
      case Op.Conv2dInputGradient(ConvSpec spec, Shape image) -> DepthwiseLaunches.isDepthwise(spec, image);
      case Op.Conv2dFilterGradient(ConvSpec spec, Shape _) ->
          DepthwiseLaunches.isDepthwise(spec, types.getFirst().shape());
      default -> false;
    };
  }

  /** Why {@link #launches} cannot be called, in words that follow the operation's name; empty if it can. */
  public Optional<String> unsupported(Op op, List<TensorType> types) {
    return switch (op) {
      case Op.Input _, Op.Read _, Op.Reshape _ ->
          Optional.of("it is no work: a program answers it with memory that is there");
      case Op.Map _, Op.Reduce _, Op.Slice _, Op.Concat _, Op.Pad _, Op.Pack _, Op.ArgMax _, Op.Histogram _ ->
          Optional.empty();
      case Op.Permute(var axes) -> PermuteLaunches.unsupported(axes, types.getFirst());
      case Op.Pool2d _, Op.Pool2dGradient _ -> PoolLaunches.unsupported(op, types);
      case Op.SoftmaxCrossEntropy _, Op.SoftmaxCrossEntropyGradient _ -> RowLaunches.unsupportedCrossEntropy(types);
      case Op.BatchNorm _, Op.BatchNormGradient _ -> BatchNormLaunches.unsupported(op, types);
      case Op.SoftmaxCrossEntropyWithGradient _, Op.ReduceWithMap _ -> Optional.of(THE_PARTS);
      case Op.MatMul _ -> Optional.of(A_LIBRARYS);
      case Op.Conv2d _, Op.Conv2dInputGradient _, Op.Conv2dFilterGradient _ ->
          isDepthwise(op, types) ? depthwise(op, types).unsupported() : Optional.of(A_LIBRARYS);
      case Op.Fused fused ->
          switch (fused.anchor()) {
            case Op.BatchNorm _, Op.BatchNormGradient _ -> BatchNormLaunches.unsupported(op, types);
            case Op.Pool2d _, Op.Pool2dGradient _ -> PoolLaunches.unsupported(op, types);
            default -> Optional.of(THE_PARTS);
          };
    };
  }

  /** Scratch memory that the launches need, in bytes; whatever it holds before, they write it first. */
  public long workspaceBytes(Op op, List<TensorType> types) {
    return switch (op) {
      case Op.Reduce reduce -> ReduceLaunches.workspaceBytes(reduce, types);
      case Op.BatchNorm _, Op.BatchNormGradient _ -> BatchNormLaunches.workspaceBytes(op, types);
      case Op.Fused fused when normalises(fused) -> BatchNormLaunches.workspaceBytes(op, types);
      case Op.Conv2dFilterGradient _ -> depthwise(op, types).filterGradientWorkspaceBytes();
      case Op.Histogram(int bins) -> HistogramLaunches.workspaceBytes(bins, types.getFirst());
      default -> 0;
    };
  }

  /** Whether output {@code output} may lie in exactly the memory of input {@code input}. */
  public boolean canShare(Op op, List<TensorType> types, int input, int output) {
    return switch (op) {
      case Op.Map map ->
          types.get(input).shape().size() == map.shape().size()
              && types.get(input).dtype().bytes() == map.dtypes().get(output).bytes();
      case Op.BatchNorm _, Op.BatchNormGradient _ -> BatchNormLaunches.canShare(op, types, input, output);
      case Op.Fused fused when normalises(fused) -> BatchNormLaunches.canShare(op, types, input, output);
      default -> false;
    };
  }

  /**
   * The launches that compute {@code op}, in order.
   *
   * @param types of the inputs
   * @param inputs addresses of the inputs in the device's memory, aligned to their elements; where they are aligned to
   *     16 bytes, accesses are wider
   * @param outputs likewise
   * @param workspace address of {@link #workspaceBytes} bytes, aligned to 16; 0 if there are none
   */
  public List<Launch> launches(Op op, List<TensorType> types, long[] inputs, long[] outputs, long workspace) {
    return switch (op) {
      case Op.Map map -> MapLaunches.of(map, types, inputs, outputs);
      case Op.Reduce reduce -> ReduceLaunches.of(reduce, types, inputs, outputs[0], workspace);
      case Op.Pool2d _, Op.Pool2dGradient _ -> PoolLaunches.of(op, types, inputs, outputs);
      case Op.BatchNorm _, Op.BatchNormGradient _ -> BatchNormLaunches.of(op, types, inputs, outputs, workspace);
      case Op.Fused fused ->
          normalises(fused)
              ? BatchNormLaunches.of(op, types, inputs, outputs, workspace)
              : PoolLaunches.of(op, types, inputs, outputs);
      case Op.SoftmaxCrossEntropy(double smoothing) -> RowLaunches.crossEntropy(smoothing, types, inputs, outputs);
      case Op.SoftmaxCrossEntropyGradient(double smoothing) ->
          RowLaunches.crossEntropy(smoothing, types, inputs, outputs);
      case Op.Permute(var axes) -> PermuteLaunches.of(axes, types.getFirst(), inputs[0], outputs[0]);
      case Op.Slice slice -> CopyLaunches.slice(slice, types.getFirst(), inputs[0], outputs[0]);
      case Op.Concat concat -> CopyLaunches.concat(concat, types, inputs, outputs[0]);
      case Op.Pad pad -> CopyLaunches.pad(pad, types.getFirst(), inputs[0], outputs[0]);
      case Op.Pack pack -> CopyLaunches.pack(pack, types, inputs, outputs[0]);
      case Op.ArgMax() -> RowLaunches.argMax(types.getFirst(), inputs[0], outputs[0]);
      case Op.Histogram(int bins) -> HistogramLaunches.of(bins, types.getFirst(), inputs, outputs[0], workspace);
      case Op.Conv2d _ -> depthwise(op, types).forward(inputs[0], inputs[1], outputs[0]);
      case Op.Conv2dInputGradient _ -> depthwise(op, types).inputGradient(inputs[0], inputs[1], outputs[0]);
      case Op.Conv2dFilterGradient _ ->
          depthwise(op, types).filterGradient(inputs[0], inputs[1], outputs[0], workspace);
      case Op.MatMul _, Op.SoftmaxCrossEntropyWithGradient _, Op.ReduceWithMap _, Op.Input _, Op.Read _, Op.Reshape _ ->
          throw new IllegalArgumentException(op.label() + " has no kernel of Lamina's");
    };
  }

  private static boolean normalises(Op.Fused fused) {
    return fused.anchor() instanceof Op.BatchNorm || fused.anchor() instanceof Op.BatchNormGradient;
  }

  private static DepthwiseLaunches depthwise(Op op, List<TensorType> types) {
    Shape first = types.get(0).shape();
    Shape second = types.get(1).shape();
    DType real = types.getFirst().dtype();
    return switch (op) {
      case Op.Conv2d(ConvSpec spec) -> new DepthwiseLaunches(spec, first, second, real);
      case Op.Conv2dInputGradient(ConvSpec spec, Shape image) -> new DepthwiseLaunches(spec, image, second, real);
      case Op.Conv2dFilterGradient(ConvSpec spec, Shape filter) -> new DepthwiseLaunches(spec, first, filter, real);
      default -> throw new IllegalArgumentException(op.label() + " is no convolution");
    };
  }
}
