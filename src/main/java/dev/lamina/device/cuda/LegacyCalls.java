package dev.lamina.device.cuda;

import static jcuda.jcudnn.JCudnn.cudnnConvolutionBackwardData;
import static jcuda.jcudnn.JCudnn.cudnnConvolutionBackwardFilter;
import static jcuda.jcudnn.JCudnn.cudnnConvolutionForward;
import static jcuda.jcudnn.JCudnn.cudnnGetConvolutionBackwardDataAlgorithm_v7;
import static jcuda.jcudnn.JCudnn.cudnnGetConvolutionBackwardDataWorkspaceSize;
import static jcuda.jcudnn.JCudnn.cudnnGetConvolutionBackwardFilterAlgorithm_v7;
import static jcuda.jcudnn.JCudnn.cudnnGetConvolutionBackwardFilterWorkspaceSize;
import static jcuda.jcudnn.JCudnn.cudnnGetConvolutionForwardAlgorithm_v7;
import static jcuda.jcudnn.JCudnn.cudnnGetConvolutionForwardWorkspaceSize;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import jcuda.Pointer;
import jcuda.jcudnn.cudnnConvolutionBwdDataAlgoPerf;
import jcuda.jcudnn.cudnnConvolutionBwdFilterAlgoPerf;
import jcuda.jcudnn.cudnnConvolutionDescriptor;
import jcuda.jcudnn.cudnnConvolutionFwdAlgoPerf;
import jcuda.jcudnn.cudnnDeterminism;
import jcuda.jcudnn.cudnnFilterDescriptor;
import jcuda.jcudnn.cudnnHandle;
import jcuda.jcudnn.cudnnTensorDescriptor;

/** cuDNN's legacy calls for one convolution: the same three questions in each direction. */
final class LegacyCalls implements AutoCloseable {
  /** More than there are entries for one direction. */
  private static final int MOST_ENTRIES = 16;

  private final Cudnn cudnn;
  private final LegacyDescriptors descriptors;
  private final cudnnHandle handle;
  private final cudnnTensorDescriptor image;
  private final cudnnFilterDescriptor filter;
  private final cudnnTensorDescriptor output;
  private final cudnnConvolutionDescriptor convolution;
  private final ConvolutionShape.Direction direction;
  private final String name;
  private final Pointer one = Pointer.to(new float[] {1});
  private final Pointer zero = Pointer.to(new float[] {0});

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

  /** What cuDNN answers about an algorithm, in whatever direction. */
  private record Entry(int number, int status, int determinism) {}

  /**
   * The calls for {@code shape}.
   *
   * @throws CudaException if cuDNN does not take it
   */
  LegacyCalls(Cudnn cudnn, ConvolutionShape shape, MathMode math) {
    this.cudnn = cudnn;
    descriptors = new LegacyDescriptors(cudnn, shape, math);
    handle = cudnn.handle();
    image = descriptors.image();
    filter = descriptors.filter();
    output = descriptors.output();
    convolution = descriptors.convolution();
    direction = shape.direction();
    name = "cuDNN's " + shape;
  }

  /**
   * What cuDNN can run, the one first that it expects most of.
   *
   * @param refusals is told what it cannot
   */
  List<Algorithm> algorithms(Consumer<String> refusals) {
    List<Algorithm> algorithms = new ArrayList<>();
    Set<Integer> seen = new HashSet<>();
    for (Entry entry : entries()) {
      if (entry.status != 0) {
        refusals.accept("algorithm " + entry.number + " of the legacy calls: " + cudnn.words(entry.status));
      } else if (seen.add(entry.number)) {
        // The entry's own figure may be for factors of another type than the descriptor asks for.
        workspaceBytes(entry.number)
            .ifPresent(bytes ->
                algorithms.add(
                    new Algorithm(entry.number, bytes, entry.determinism == cudnnDeterminism.CUDNN_DETERMINISTIC)));
      }
    }
    return algorithms;
  }

  private List<Entry> entries() {
    int[] count = new int[1];
    return switch (direction) {
      case FORWARD -> {
        var found = new cudnnConvolutionFwdAlgoPerf[MOST_ENTRIES];
        Arrays.setAll(found, _ -> new cudnnConvolutionFwdAlgoPerf());
        cudnn.check(
            cudnnGetConvolutionForwardAlgorithm_v7(
                handle, image, filter, convolution, output, MOST_ENTRIES, count, found),
            name);
        yield Arrays.stream(found, 0, count[0]).map(e -> new Entry(e.algo, e.status, e.determinism)).toList();
      }
      case INPUT_GRADIENT -> {
        var found = new cudnnConvolutionBwdDataAlgoPerf[MOST_ENTRIES];
        Arrays.setAll(found, _ -> new cudnnConvolutionBwdDataAlgoPerf());
        cudnn.check(
            cudnnGetConvolutionBackwardDataAlgorithm_v7(
                handle, filter, output, convolution, image, MOST_ENTRIES, count, found),
            name);
        yield Arrays.stream(found, 0, count[0]).map(e -> new Entry(e.algo, e.status, e.determinism)).toList();
      }
      case FILTER_GRADIENT -> {
        var found = new cudnnConvolutionBwdFilterAlgoPerf[MOST_ENTRIES];
        Arrays.setAll(found, _ -> new cudnnConvolutionBwdFilterAlgoPerf());
        cudnn.check(
            cudnnGetConvolutionBackwardFilterAlgorithm_v7(
                handle, image, output, convolution, filter, MOST_ENTRIES, count, found),
            name);
        yield Arrays.stream(found, 0, count[0]).map(e -> new Entry(e.algo, e.status, e.determinism)).toList();
      }
    };
  }

  /** What an algorithm needs; empty if it cannot be run after all. */
  private OptionalLong workspaceBytes(int number) {
    long[] bytes = new long[1];
    int status =
        switch (direction) {
          case FORWARD ->
              cudnnGetConvolutionForwardWorkspaceSize(handle, image, filter, convolution, output, number, bytes);
          case INPUT_GRADIENT ->
              cudnnGetConvolutionBackwardDataWorkspaceSize(handle, filter, output, convolution, image, number, bytes);
          case FILTER_GRADIENT ->
              cudnnGetConvolutionBackwardFilterWorkspaceSize(handle, image, output, convolution, filter, number, bytes);
        };
    return status == 0 ? OptionalLong.of(bytes[0]) : OptionalLong.empty();
  }

  /** Enqueues an algorithm. */
  void run(Algorithm algorithm, Operands on) {
    int number = algorithm.number;
    long bytes = algorithm.workspaceBytes;
    int status =
        switch (direction) {
          case FORWARD ->
              cudnnConvolutionForward(
                  handle,
                  one,
                  image,
                  on.first,
                  filter,
                  on.second,
                  convolution,
                  number,
                  on.workspace,
                  bytes,
                  zero,
                  output,
                  on.result);
          case INPUT_GRADIENT ->
              cudnnConvolutionBackwardData(
                  handle,
                  one,
                  filter,
                  on.second,
                  output,
                  on.first,
                  convolution,
                  number,
                  on.workspace,
                  bytes,
                  zero,
                  image,
                  on.result);
          case FILTER_GRADIENT ->
              cudnnConvolutionBackwardFilter(
                  handle,
                  one,
                  image,
                  on.first,
                  output,
                  on.second,
                  convolution,
                  number,
                  on.workspace,
                  bytes,
                  zero,
                  filter,
                  on.result);
        };
    cudnn.check(status, name);
  }

  /** Gives the descriptors back; nothing runs any more. */
  @Override
  public void close() {
    descriptors.close();
  }
}
