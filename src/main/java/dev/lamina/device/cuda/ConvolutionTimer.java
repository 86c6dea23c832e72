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

/**
 * Measures on the GPU how long a step takes where it will run, in a recording: the host enqueues small ones more slowly
 * than a GPU runs them, and differently slowly.
 */
final class ConvolutionTimer implements AutoCloseable {
  /** Milliseconds of a recording that are told apart by events; what takes longer needs no company. */
  private static final double LENGTH = 0.2;

  private static final int MOST_TOGETHER = 20;

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
   * @param name what is tried, for messages
   * @param hopeless a time in milliseconds; a step whose first run takes longer is not measured further, unless it is
   *     so short that the host may be the reason
   * @throws CudaException if the step fails, or cannot be recorded
   */
  double milliseconds(Step step, String name, double hopeless) {
    step.run();
    context.synchronize("a try of " + name);
    double first = once(step::run);
    if (first > Math.max(hopeless, LENGTH)) {
      return first;
    }
    int together = (int) Math.clamp(LENGTH / Math.max(first, 1e-4), 1, MOST_TOGETHER);
    Runnable several =
        () -> {
          for (int i = 0; i < together; i++) {
            step.run();
          }
        };
    try (var recording = new Recording(context, several)) {
      String call = "cuGraphLaunch of a convolution that is tried";
      recording.launch(call);
      double[] times = new double[runs];
      Arrays.setAll(times, _ -> once(() -> recording.launch(call)) / together);
      Arrays.sort(times);
      return times[runs / 2];
    }
  }

  private double once(Runnable work) {
    context.check(cuEventRecord(start, context.compute()), "cuEventRecord");
    work.run();
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
