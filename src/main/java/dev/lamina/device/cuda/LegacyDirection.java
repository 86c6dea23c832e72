package dev.lamina.device.cuda;

import java.util.List;
import jcuda.Pointer;

/** The legacy calls of one direction of a convolution. */
interface LegacyDirection extends AutoCloseable {
  /** More than there are algorithms of one direction. */
  int MOST_ALGORITHMS = 10;

  /**
   * An algorithm that cuDNN has for a convolution.
   *
   * @param number its number in cuDNN
   * @param workspaceBytes what it needs
   * @param deterministic whether it gives the same bits each time
   */
  record Algorithm(int number, long workspaceBytes, boolean deterministic) {}

  /** Operands on the device, inputs in the order of the operation; {@code workspace} is as large as was asked for. */
  record Operands(Pointer first, Pointer second, Pointer result, Pointer workspace) {}

  /** What cuDNN can run, the one first that it expects most of. */
  List<Algorithm> algorithms();

  /** Enqueues one. */
  void run(Algorithm algorithm, Operands operands);

  /** Gives the descriptors back; nothing runs any more. */
  @Override
  void close();

  /**
   * The calls for {@code shape}, which the caller closes.
   *
   * @throws CudaException if cuDNN does not take it
   */
  static LegacyDirection of(Cudnn cudnn, ConvolutionShape shape, MathMode math) {
    LegacyDescriptors descriptors = new LegacyDescriptors(cudnn, shape, math);
    return switch (shape.direction()) {
      case FORWARD -> new LegacyForward(cudnn, descriptors, shape);
      case INPUT_GRADIENT -> new LegacyInputGradient(cudnn, descriptors, shape);
      case FILTER_GRADIENT -> new LegacyFilterGradient(cudnn, descriptors, shape);
    };
  }
}
