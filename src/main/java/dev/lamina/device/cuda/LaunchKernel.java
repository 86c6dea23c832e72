package dev.lamina.device.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static jcuda.driver.JCudaDriver.cuLaunchKernel;

import dev.lamina.device.Step;
import dev.lamina.graph.Op;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import jcuda.Pointer;
import jcuda.driver.CUfunction;

/** An operation that kernels of our own do. */
final class LaunchKernel implements CudaKernel {
  private final CudaContext context;
  private final ModuleCache modules;
  private final CudaKernels kernels;
  private final Op op;
  private final List<TensorType> inputs;

  LaunchKernel(CudaContext context, ModuleCache modules, CudaKernels kernels, Op op, List<TensorType> inputs) {
    this.context = context;
    this.modules = modules;
    this.kernels = kernels;
    this.op = op;
    this.inputs = inputs;
  }

  @Override
  public long workspaceBytes() {
    return kernels.workspaceBytes(op, inputs);
  }

  @Override
  public boolean canShare(int input, int output) {
    return kernels.canShare(op, inputs, input, output);
  }

  @Override
  public Step bind(long[] in, long[] out, long workspace) {
    return bound(context, modules, kernels.launches(op, inputs, in, out, workspace), op.label() + " " + inputs);
  }

  /** Launches one behind the other; {@code what} they do is told where one fails. */
  static Step bound(CudaContext context, ModuleCache modules, List<Launch> launches, String what) {
    Step[] steps = launches.stream().map(launch -> bound(context, modules, launch, what)).toArray(Step[]::new);
    if (steps.length == 1) {
      return steps[0];
    }
    return () -> {
      for (Step step : steps) {
        step.run();
      }
    };
  }

  private static Step bound(CudaContext context, ModuleCache modules, Launch launch, String what) {
    context.enter();
    CUfunction function = modules.function(launch.source(), launch.options(), launch.entry());
    Parameters parameters = new Parameters(launch.arguments());
    String call = "cuLaunchKernel of " + launch.entry() + " for " + what;
    return () ->
        context.check(
            cuLaunchKernel(
                function,
                launch.grid(),
                1,
                1,
                launch.block(),
                1,
                1,
                launch.shared(),
                context.compute(),
                parameters.pointer,
                null),
            call);
  }

  /** A kernel's arguments in memory of their own, one address each, as the driver reads them. */
  private static final class Parameters {
    private final Arena arena = Arena.ofAuto();
    private final Pointer pointer;

    Parameters(List<Launch.Argument> arguments) {
      MemorySegment addresses = arena.allocate(ADDRESS, Math.max(1, arguments.size()));
      MemorySegment values = arena.allocate(JAVA_LONG, Math.max(1, arguments.size()));
      for (int i = 0; i < arguments.size(); i++) {
        MemorySegment value = values.asSlice(8L * i, 8);
        switch (arguments.get(i)) {
          case Launch.Argument.Address(long address) -> value.set(JAVA_LONG, 0, address);
          case Launch.Argument.Int64(long number) -> value.set(JAVA_LONG, 0, number);
          case Launch.Argument.Int32(int number) -> value.set(JAVA_INT, 0, number);
          case Launch.Argument.Float32(float number) -> value.set(JAVA_FLOAT, 0, number);
        }
        addresses.setAtIndex(ADDRESS, i, value);
      }
      pointer = new Address.Plain(addresses.address());
    }
  }
}
