package dev.lamina.device.cuda;

import dev.lamina.device.Step;

/** One way to compute a convolution. */
interface ConvolutionCandidate extends AutoCloseable {

  /** Operands on the device, inputs in the order of the operation; {@code workspace} is 0 if none is needed. */
  record Operands(long first, long second, long result, long workspace) {}

  /** What finds it again, its workspace included. */
  ConvolutionPlans.Choice choice();

  /** What runs it on these operands as often as wanted. */
  Step bind(Operands operands);

  /** Gives back what it holds; whatever was bound runs no more. */
  @Override
  void close();
}
