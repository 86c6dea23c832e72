package dev.lamina.device.cuda;

import static jcuda.driver.JCudaDriver.cuEventCreate;
import static jcuda.driver.JCudaDriver.cuEventDestroy;
import static jcuda.driver.JCudaDriver.cuEventElapsedTime;
import static jcuda.driver.JCudaDriver.cuEventRecord;
import static jcuda.driver.JCudaDriver.cuEventSynchronize;

import dev.lamina.device.Step;
import java.util.Arrays;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;

/** Measures on the GPU how long a step takes. */
final class ConvolutionTimer implements AutoCloseable {
  private final CudaContext context;
  private final int runs;
  private final CUevent start = new CUevent();
  private final CUevent end = new CUevent();

  /** Takes the median of {@code runs}. */
  ConvolutionTimer(CudaContext context, int runs) {
    this.context = context;
    this.runs = runs;
    context.check(cuEventCreate(start, CUevent_flags.CU_EVENT_DEFAULT), "cuEventCreate");
    context.check(cuEventCreate(end, CUevent_flags.CU_EVENT_DEFAULT), "cuEventCreate");
  }

  /**
   * The median time in milliseconds, behind one run that loads code.
   *
   * @param hopeless a time in milliseconds; a step whose first run takes longer is not measured further
   */
  double milliseconds(Step step, double hopeless) {
    step.run();
    double first = once(step);
    if (first > hopeless) {
      return first;
    }
    double[] times = new double[runs];
    times[0] = first;
    for (int i = 1; i < runs; i++) {
      times[i] = once(step);
    }
    Arrays.sort(times);
    return times[runs / 2];
  }

  /** The run in front keeps the GPU busy while the timed one is enqueued: in a recorded step nobody waits for that. */
  private double once(Step step) {
    step.run();
    context.check(cuEventRecord(start, context.compute()), "cuEventRecord");
    step.run();
    context.check(cuEventRecord(end, context.compute()), "cuEventRecord");
    context.check(cuEventSynchronize(end), "a convolution that was tried");
    float[] milliseconds = new float[1];
    context.check(cuEventElapsedTime(milliseconds, start, end), "cuEventElapsedTime");
    return milliseconds[0];
  }

  @Override
  public void close() {
    if (!context.isLost()) {
      context.check(cuEventDestroy(start), "cuEventDestroy");
      context.check(cuEventDestroy(end), "cuEventDestroy");
    }
  }
}
