package dev.lamina.device.cuda;

import static jcuda.jcudnn.JCudnn.cudnnConvolutionForward;
import static jcuda.jcudnn.JCudnn.cudnnGetConvolutionForwardAlgorithm_v7;

import java.util.Arrays;
import java.util.List;
import jcuda.Pointer;
import jcuda.jcudnn.cudnnConvolutionFwdAlgoPerf;
import jcuda.jcudnn.cudnnDeterminism;

/** Output from image and filter. */
final class LegacyForward implements LegacyDirection {
  private final Cudnn cudnn;
  private final LegacyDescriptors descriptors;
  private final String shape;
  private final Pointer one = Pointer.to(new float[] {1});
  private final Pointer zero = Pointer.to(new float[] {0});

  LegacyForward(Cudnn cudnn, LegacyDescriptors descriptors, ConvolutionShape shape) {
    this.cudnn = cudnn;
    this.descriptors = descriptors;
    this.shape = "cuDNN's " + shape;
  }

  @Override
  public List<Algorithm> algorithms() {
    int[] count = new int[1];
    var results = new cudnnConvolutionFwdAlgoPerf[MOST_ALGORITHMS];
    Arrays.setAll(results, _ -> new cudnnConvolutionFwdAlgoPerf());
    cudnn.check(
        cudnnGetConvolutionForwardAlgorithm_v7(
            cudnn.handle(),
            descriptors.image(),
            descriptors.filter(),
            descriptors.convolution(),
            descriptors.output(),
            MOST_ALGORITHMS,
            count,
            results),
        shape);
    return Arrays.stream(results, 0, count[0])
        .filter(result -> result.status == 0)
        .map(result ->
            new Algorithm(result.algo, result.memory, result.determinism == cudnnDeterminism.CUDNN_DETERMINISTIC))
        .toList();
  }

  @Override
  public void run(Algorithm algorithm, Operands operands) {
    cudnn.check(
        cudnnConvolutionForward(
            cudnn.handle(),
            one,
            descriptors.image(),
            operands.first(),
            descriptors.filter(),
            operands.second(),
            descriptors.convolution(),
            algorithm.number(),
            operands.workspace(),
            algorithm.workspaceBytes(),
            zero,
            descriptors.output(),
            operands.result()),
        shape);
  }

  @Override
  public void close() {
    descriptors.close();
  }
}
