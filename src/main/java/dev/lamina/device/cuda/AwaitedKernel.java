package dev.lamina.device.cuda;

import dev.lamina.device.Step;

/**
 * A kernel whose runs are waited for, to find the one that does something illegal.
 *
 * @param name the operation and its shapes
 */
record AwaitedKernel(CudaContext context, CudaKernel kernel, String name) implements CudaKernel {

  @Override
  public long workspaceBytes() {
    return kernel.workspaceBytes();
  }

  @Override
  public boolean canShare(int input, int output) {
    return kernel.canShare(input, output);
  }

  @Override
  public Step bind(long[] inputs, long[] outputs, long workspace) {
    Step step = kernel.bind(inputs, outputs, workspace);
    return () -> {
      step.run();
      context.synchronize(name);
    };
  }
}
