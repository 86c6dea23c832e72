package dev.lamina.benchmarks;

import dev.lamina.device.Device;
import dev.lamina.graph.Cost;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.BenchmarkParams;

/**
 * A {@link Workload} on a device: its results are held against the reference device once, then it is timed, from the
 * start of a run to the moment at which the device has done it.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(
    value = 1,
    // Added to the options that the benchmarks were started with. No compilation behind its back: on a busy machine
    // code that is waiting to be compiled would be what is measured.
    jvmArgsAppend = {"-XX:-BackgroundCompilation", "-Xmx3g"})
@Warmup(iterations = 1, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@State(Scope.Thread)
public abstract class DeviceBenchmark {
  /** Where it runs; {@code cuda} where there is one. */
  @Param({"cpu", "reference"})
  public String device;

  private Device opened;
  private Workload workload;
  private Figures.Known known;

  /** What is measured with the parameters as they are set. */
  abstract Workload prepare(Device on);

  /** Opens the device, compiles the workload, checks it, and warms it up if the run wants to be warm. */
  @Setup(Level.Trial)
  public void open(BenchmarkParams run) {
    opened = BenchmarkDevices.open(device);
    workload = prepare(opened);
    double ulps = workload.verify();
    Cost cost = workload.cost();
    known = new Figures.Known(workload.elements(), cost.flops(), cost.bytes(), ulps);
    if (run.getWarmup().getCount() > 0) {
      WarmUp.of(workload::run);
    }
  }

  /** One run. */
  @Benchmark
  public void run(Figures figures) {
    workload.run();
    figures.are(known);
  }

  /** Gives everything back. */
  @TearDown(Level.Trial)
  public void close() {
    if (workload != null) {
      workload.close();
    }
    if (opened != null) {
      opened.close();
    }
  }
}
