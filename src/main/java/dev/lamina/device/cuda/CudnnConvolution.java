package dev.lamina.device.cuda;

import dev.lamina.device.Step;
import dev.lamina.tensor.DType;
import java.util.Optional;

/** A convolution by cuDNN, NHWC and OHWI, computed in the way that was chosen. */
final class CudnnConvolution implements CudaKernel {
  private final ConvolutionCandidate candidate;

  CudnnConvolution(ConvolutionCandidate candidate) {
    this.candidate = candidate;
  }

  /** Why there is no convolution of this type. */
  static Optional<String> unsupported(DType dtype) {
    return switch (dtype) {
      case F32, BF16, F16 -> Optional.empty();
      case F64, I32, U8 -> Optional.of("convolutions are in F32, BF16 or F16 on a GPU, not in " + dtype);
    };
  }

  @Override
  public long workspaceBytes() {
    return candidate.choice().workspaceBytes();
  }

  @Override
  public Step bind(long[] inputs, long[] outputs, long workspace) {
    return candidate.bind(new ConvolutionCandidate.Operands(inputs[0], inputs[1], outputs[0], workspace));
  }
}
