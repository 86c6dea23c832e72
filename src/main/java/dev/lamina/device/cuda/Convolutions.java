package dev.lamina.device.cuda;

import dev.lamina.device.UnsupportedOnDeviceException;
import dev.lamina.device.cuda.library.PrivateCache;
import dev.lamina.graph.Op;
import dev.lamina.tensor.TensorType;
import java.util.List;
import java.util.Optional;

/** Prepares convolutions that cuDNN computes. */
final class Convolutions {
  /** Workspace that one may ask for. */
  private static final long BUDGET = 256L << 20;

  private final Cudnn cudnn;
  private final MathMode math;
  private final ConvolutionChoice choice;

  Convolutions(CudaContext context, Cudnn cudnn, MathMode math, PrivateCache cache) {
    this.cudnn = cudnn;
    this.math = math;
    choice =
        new ConvolutionChoice(
            context,
            List.of(new LegacyConvolutions(cudnn)),
            new ConvolutionPlans(cache),
            context.gpu() + "/" + jcuda.jcudnn.JCudnn.cudnnGetVersion());
  }

  /**
   * A convolution, or one of its gradients.
   *
   * @param parts prepares padding, where cuDNN cannot pad opposite sides differently
   * @throws UnsupportedOnDeviceException if cuDNN has no way to compute it
   */
  CudaKernel prepare(Op op, List<TensorType> in, PaddedConvolution.Preparation parts) {
    ConvolutionShape shape = ConvolutionShape.of(op, in);
    Optional<ConvolutionCandidate> candidate = choice.of(new ConvolutionRequest(shape, math, BUDGET, false));
    if (candidate.isPresent()) {
      cudnn.onClose(candidate.get()::close);
      return new CudnnConvolution(candidate.get());
    }
    if (shape.isSymmetric()) {
      throw new UnsupportedOnDeviceException("cuDNN has no algorithm for " + shape);
    }
    return PaddedConvolution.of(shape, parts);
  }
}
