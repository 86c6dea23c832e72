package dev.lamina.device.cuda;

import static jcuda.jcudnn.JCudnn.cudnnConvolutionBackwardData;
import static jcuda.jcudnn.JCudnn.cudnnGetConvolutionBackwardDataAlgorithm_v7;

import java.util.Arrays;
import java.util.List;
import jcuda.Pointer;
import jcuda.jcudnn.cudnnConvolutionBwdDataAlgoPerf;
import jcuda.jcudnn.cudnnDeterminism;

/** The image's gradient from the output's and the filter; cuDNN takes them the other way round. */
final class LegacyInputGradient implements LegacyDirection {
  private final Cudnn cudnn;
  private final LegacyDescriptors descriptors;
  private final String shape;
  private final Pointer one = Pointer.to(new float[] {1});
  private final Pointer zero = Pointer.to(new float[] {0});

  LegacyInputGradient(Cudnn cudnn, LegacyDescriptors descriptors, ConvolutionShape shape) {
    this.cudnn = cudnn;
    this.descriptors = descriptors;
    this.shape = "cuDNN's " + shape;
  }

  @Override
  public List<Algorithm> algorithms() {
    int[] count = new int[1];
    var results = new cudnnConvolutionBwdDataAlgoPerf[MOST_ALGORITHMS];
    Arrays.setAll(results, _ -> new cudnnConvolutionBwdDataAlgoPerf());
    cudnn.check(
        cudnnGetConvolutionBackwardDataAlgorithm_v7(
            cudnn.handle(),
            descriptors.filter(),
            descriptors.output(),
            descriptors.convolution(),
            descriptors.image(),
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
        cudnnConvolutionBackwardData(
            cudnn.handle(),
            one,
            descriptors.filter(),
            operands.second(),
            descriptors.output(),
            operands.first(),
            descriptors.convolution(),
            algorithm.number(),
            operands.workspace(),
            algorithm.workspaceBytes(),
            zero,
            descriptors.image(),
            operands.result()),
        shape);
  }

  @Override
  public void close() {
    descriptors.close();
  }
}
