package dev.lamina.device.cuda;

import java.util.List;
import java.util.Optional;

/** A part of cuDNN that computes convolutions. */
interface ConvolutionSource {

  /**
   * The ways that it has, the one first that it expects most of, within the request's budget and rules; the caller
   * closes them.
   */
  List<ConvolutionCandidate> candidates(ConvolutionRequest request);

  /** The way that was chosen in an earlier run; empty if it is none of this source's, or is there no more. */
  Optional<ConvolutionCandidate> remembered(ConvolutionRequest request, ConvolutionPlans.Choice choice);
}
