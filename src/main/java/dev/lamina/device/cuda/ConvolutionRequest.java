package dev.lamina.device.cuda;

/**
 * A convolution and what its computation has to keep to.
 *
 * @param shape what is convolved
 * @param math how factors of floats may be rounded
 * @param budget bytes that the workspace may take
 * @param deterministic whether the same inputs must give the same bits each time
 */
record ConvolutionRequest(ConvolutionShape shape, MathMode math, long budget, boolean deterministic) {

  /** What a way to compute it is remembered by, within one GPU and version of cuDNN. */
  String key() {
    return String.join("/", math.name(), shape.key(), Long.toString(budget), deterministic ? "same-bits" : "any-bits");
  }
}
