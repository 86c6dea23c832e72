package dev.lamina.train;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.lamina.data.Dataset;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.nn.BatchNorm;
import dev.lamina.nn.Conv2d;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Dropout;
import dev.lamina.nn.Layer;
import dev.lamina.nn.MaxPool2d;
import dev.lamina.nn.Reshape;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.recurrent.Lstm;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class GarbageTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int STEPS = 50;

  /** Counts what the threads of training allocate between two updates, in memory of its own. */
  private static final class Meter implements TrainingListener {
    private long[] threads;
    private long[] bytes;
    private int quiet;
    private int longestQuiet;
    private long before;

    @Override
    public void started(TrainingPlan plan) {
      threads =
          Thread.getAllStackTraces().keySet().stream()
              .filter(thread -> thread == Thread.currentThread() || thread.getName().startsWith("lamina-"))
              .mapToLong(Thread::threadId)
              .toArray();
      bytes = new long[threads.length];
    }

    @Override
    public void updated(long step, double rate) {
      long now = allocated();
      quiet = now == before ? quiet + 1 : 0;
      longestQuiet = Math.max(longestQuiet, quiet);
      before = now;
    }

    /** Not the method for many threads: its answer is an array. */
    private long allocated() {
      long sum = 0;
      for (int i = 0; i < threads.length; i++) {
        bytes[i] = Math.max(bytes[i], THREADS.getThreadAllocatedBytes(threads[i]));
        sum += bytes[i];
      }
      return sum;
    }

    @Override
    public boolean wantsStop() {
      return longestQuiet >= STEPS;
    }
  }

  /**
   * Looks at the figures, which allocate, come a few times a second; between two of them there is room for many small
   * steps.
   */
  @Test
  void trainerWorkersAndLoaderAllocateNothingInFiftySteps() {
    Layer model =
        new Sequential(
            new Reshape(2, 3, 1),
            new Conv2d(4, 2).same(),
            new BatchNorm(),
            new ReLU(),
            new MaxPool2d(1),
            new Lstm(8),
            new Dropout(0.2),
            new Dense(3));
    Meter meter = new Meter();
    try (Arena arena = Arena.ofShared();
        Device device = new Devices().open("cpu", new DeviceOptions(2))) {
      Dataset data = TinyData.clouds(arena, 4000, 0.5, 1);
      new Trainer(device, model).epochs(5000).batch(8).listener(meter).fit(data).close();
    }
    assertTrue(
        meter.longestQuiet >= STEPS,
        () ->
            "never "
                + STEPS
                + " steps without garbage, at most "
                + meter.longestQuiet
                + "; bytes by thread "
                + Arrays.toString(meter.bytes));
  }
}
