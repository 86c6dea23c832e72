package dev.lamina.device.cuda;

import static jcuda.jcudnn.JCudnn.cudnnConvolutionBackwardFilter;
import static jcuda.jcudnn.JCudnn.cudnnGetConvolutionBackwardFilterAlgorithm_v7;

import java.util.Arrays;
import java.util.List;
import jcuda.Pointer;
import jcuda.jcudnn.cudnnConvolutionBwdFilterAlgoPerf;
import jcuda.jcudnn.cudnnDeterminism;

/** The filter's gradient from the image and the output's gradient. */
final class LegacyFilterGradient implements LegacyDirection {
  private final Cudnn cudnn;
  private final LegacyDescriptors descriptors;
  private final String shape;
  private final Pointer one = Pointer.to(new float[] {1});
  private final Pointer zero = Pointer.to(new float[] {0});

  LegacyFilterGradient(Cudnn cudnn, LegacyDescriptors descriptors, ConvolutionShape shape) {
    this.cudnn = cudnn;
    this.descriptors = descriptors;
    this.shape = "cuDNN's " + shape;
  }

  @Override
  public List<Algorithm> algorithms() {
    int[] count = new int[1];
    var results = new cudnnConvolutionBwdFilterAlgoPerf[MOST_ALGORITHMS];
    Arrays.setAll(results, _ -> new cudnnConvolutionBwdFilterAlgoPerf());
    cudnn.check(
        cudnnGetConvolutionBackwardFilterAlgorithm_v7(
            cudnn.handle(),
            descriptors.image(),
            descriptors.output(),
            descriptors.convolution(),
            descriptors.filter(),
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
        cudnnConvolutionBackwardFilter(
            cudnn.handle(),
            one,
            descriptors.image(),
            operands.first(),
            descriptors.output(),
            operands.second(),
            descriptors.convolution(),
            algorithm.number(),
            operands.workspace(),
            algorithm.workspaceBytes(),
            zero,
            descriptors.filter(),
            operands.result()),
        shape);
  }

  @Override
  public void close() {
    descriptors.close();
  }
}
