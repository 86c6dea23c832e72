package dev.lamina.device.cuda;

import static jcuda.driver.JCudaDriver.cuEventCreate;
import static jcuda.driver.JCudaDriver.cuEventDestroy;
import static jcuda.driver.JCudaDriver.cuEventRecord;

import dev.lamina.device.Device;
import dev.lamina.device.Step;
import java.util.List;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;

/**
 * A whole step as one launch. The first run goes kernel by kernel, so that libraries load and allocate what they need;
 * the second is recorded; from then on the recording is launched. The intake runs in front of it, and an event behind
 * the intake says when staged inputs may be overwritten.
 */
final class CapturedStep implements Device.Replay {
  private final CudaContext context;
  private final HostTransfers transfers;
  private final String name;
  private final Step intake;
  private final Step[] steps;
  private final CUevent consumed;
  private boolean warm;

  /** Null before the second run. */
  private Recording recording;

  /**
   * Nothing is recorded yet.
   *
   * @param transfers what was staged through them comes first
   * @param name what the steps do together
   * @param consumed is recorded when the intake has been read
   */
  CapturedStep(
      CudaContext context, HostTransfers transfers, String name, Step intake, List<Step> steps, CUevent consumed) {
    this.context = context;
    this.transfers = transfers;
    this.name = name;
    this.intake = intake;
    this.steps = steps.toArray(Step[]::new);
    this.consumed = consumed;
  }

  /** An event without a time. */
  static CUevent event(CudaContext context) {
    CUevent event = new CUevent();
    context.check(cuEventCreate(event, CUevent_flags.CU_EVENT_DISABLE_TIMING), "cuEventCreate");
    return event;
  }

  static void destroy(CudaContext context, CUevent event) {
    if (!context.isLost()) {
      context.check(cuEventDestroy(event), "cuEventDestroy");
    }
  }

  @Override
  public void run() {
    context.enter();
    context.begin(name);
    transfers.beginStep();
    intake.run();
    context.check(cuEventRecord(consumed, context.compute()), "cuEventRecord");
    if (!warm || context.waitsForEach()) {
      // Code is loaded when it is first used.
      try (var _ = Recordings.none()) {
        runAll();
      }
      warm = true;
      return;
    }
    if (recording == null) {
      recording = new Recording(context, this::runAll);
    }
    recording.launch("cuGraphLaunch of a whole step");
  }

  private void runAll() {
    for (Step step : steps) {
      step.run();
    }
  }

  @Override
  public void close() {
    if (recording != null && !context.isLost()) {
      context.enter();
      context.synchronize("the last step of a program");
      recording.close();
      recording = null;
    }
  }
}
