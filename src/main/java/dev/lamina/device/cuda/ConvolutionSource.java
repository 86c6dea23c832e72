package dev.lamina.device.cuda;

import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** A part of cuDNN that computes convolutions. */
interface ConvolutionSource {

  /**
   * The ways that it has, the one first that it expects most of, within the request's budget and rules; the caller
   * closes them.
   *
   * @param refusals is told why there are no more, in cuDNN's words
   */
  List<ConvolutionCandidate> candidates(ConvolutionRequest request, Consumer<String> refusals);

  /** The way that was chosen in an earlier run; empty if it is none of this source's, or is there no more. */
  Optional<ConvolutionCandidate> remembered(ConvolutionRequest request, ConvolutionPlans.Choice choice);
}
