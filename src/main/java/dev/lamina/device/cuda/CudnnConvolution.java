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

  /** The first compute capability with bfloat16, 80 for 8.0. */
  private static final int BFLOAT16 = 80;

  /** Why there is no convolution of this type on a GPU of this compute capability. */
  static Optional<String> unsupported(DType dtype, int capability) {
    if (dtype == DType.BF16 && capability < BFLOAT16) {
      return Optional.of(
          "cuDNN has convolutions in BF16 from compute capability 8.0 on; take tf32 or fp16 on this GPU");
    }
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
