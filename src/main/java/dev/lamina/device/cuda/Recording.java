package dev.lamina.device.cuda;

import static jcuda.driver.JCudaDriver.cuGraphDestroy;
import static jcuda.driver.JCudaDriver.cuGraphExecDestroy;
import static jcuda.driver.JCudaDriver.cuGraphInstantiate;
import static jcuda.driver.JCudaDriver.cuGraphLaunch;
import static jcuda.driver.JCudaDriver.cuStreamBeginCapture;
import static jcuda.driver.JCudaDriver.cuStreamEndCapture;

import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstreamCaptureMode;

/** Work that was recorded, to be launched as one. */
final class Recording implements AutoCloseable {
  private final CudaContext context;
  private final CUgraphExec graph = new CUgraphExec();

  /**
   * Records what {@code work} enqueues on the stream that computes.
   *
   * @throws CudaException if something in it cannot be recorded
   */
  Recording(CudaContext context, Runnable work) {
    this.context = context;
    try (var _ = Recordings.one()) {
      record(work);
    }
  }

  private void record(Runnable work) {
    CUgraph recorded = new CUgraph();
    context.check(
        cuStreamBeginCapture(context.compute(), CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL),
        "cuStreamBeginCapture");
    try {
      work.run();
    } catch (RuntimeException e) {
      // The recording is spoilt and its end fails too; what went wrong is the first failure.
      cuStreamEndCapture(context.compute(), recorded);
      throw e;
    }
    context.check(cuStreamEndCapture(context.compute(), recorded), "cuStreamEndCapture");
    try {
      context.check(cuGraphInstantiate(graph, recorded, 0), "cuGraphInstantiate");
    } finally {
      cuGraphDestroy(recorded);
    }
  }

  /** Enqueues it; {@code call} is told if that fails. */
  void launch(String call) {
    context.check(cuGraphLaunch(graph, context.compute()), call);
  }

  /** It must not be running any more. */
  @Override
  public void close() {
    if (!context.isLost()) {
      context.check(cuGraphExecDestroy(graph), "cuGraphExecDestroy");
    }
  }
}
