package dev.lamina.benchmarks.suite;

import com.sun.management.ThreadMXBean;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.train.CompiledModel;
import dev.lamina.train.Precision;
import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A training step on noise: its time, what the host does for it, and its memory. */
@Command(
    name = "step",
    description = "Measures a training step; prints a JSON object when it is compiled and one at the end.")
final class StepMeasure implements Callable<Integer> {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** Steps between two looks at the heap, and looks: a late compilation may fall into one of them. */
  private static final int MOST_QUIET_STEPS = 50;

  private static final int LOOKS = 4;

  @Parameters(index = "0", paramLabel = "NETWORK")
  private String network;

  @Parameters(index = "1", paramLabel = "BATCH")
  private int batch;

  @Parameters(index = "2", paramLabel = "PRECISION")
  private Precision precision;

  @Option(names = "--device", defaultValue = "cuda")
  private String deviceName;

  @Option(names = "--image", paramLabel = "PIXELS", description = "Side of an image; that of the network unless given.")
  private int side;

  @Option(names = "--seconds", defaultValue = "4")
  private double seconds;

  @Override
  public Integer call() {
    Network subject = side == 0 ? Network.of(network, batch) : new Network(network, batch, side);
    var options = DeviceOptions.DEFAULT.withExactProducts(precision == Precision.FP32);
    try (Device device = new Devices().open(deviceName, options)) {
      new JsonLines(System.out).write(measure(device, subject));
    }
    return 0;
  }

  private Map<String, Object> measure(Device device, Network subject) {
    long free = device.availableMemory();
    long begin = System.nanoTime();
    try (var training = new NoiseTraining(device, subject, precision)) {
      CompiledModel model = training.model();
      Runnable staged = training::update;
      // The inputs of the last staged step are still there: data on the device, as in the benchmarks of others.
      Runnable resident = () -> model.updateProgram().run();
      staged.run();
      device.synchronize();
      final double untilFirst = (System.nanoTime() - begin) * 1e-9;
      var clock = new Clock(device::synchronize, seconds);
      Clock.Time step = clock.time(resident);
      Clock.Time withInput = new Clock(device::synchronize, seconds / 4).time(staged);
      int calls = (int) Math.clamp(seconds * 1e9 / 4 / step.median(), 5, 200);
      final double host = clock.call(resident, calls);
      final double hostWithInput = clock.call(staged, calls);
      int quiet = (int) Math.clamp(seconds * 1e9 / LOOKS / step.median(), 2, MOST_QUIET_STEPS);
      final long taken = free - device.availableMemory();
      final long heap = heapBytes(device, staged, quiet);
      final long grown = free - device.availableMemory() - taken;
      final double loss = model.takeTrainingFigures().loss();
      if (model.badStep() >= 0 || !Double.isFinite(loss)) {
        throw new IllegalStateException("step " + model.badStep() + " was not finite");
      }
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("kind", "step");
      result.put("who", "lamina");
      result.put("network", subject.name());
      result.put("batch", subject.batch());
      result.put("image", subject.side());
      result.put("precision", precision.name().toLowerCase(Locale.ROOT));
      result.put("device", device.name());
      result.put("ms", step.milliseconds());
      result.put("ms_least", step.least() * 1e-6);
      result.put("ms_most", step.most() * 1e-6);
      result.put("steps", step.runs());
      result.put("steps_per_second", 1e9 / step.median());
      result.put("images_per_second", 1e9 / step.median() * subject.batch());
      result.put("ms_with_input", withInput.milliseconds());
      result.put("host_us", host * 1e-3);
      result.put("host_us_with_input", hostWithInput * 1e-3);
      result.put("heap_bytes_per_step", heap);
      result.put("device_bytes_per_step", grown / (double) (LOOKS * quiet));
      result.put("memory_planned", model.memory().total());
      result.put("memory_taken", taken);
      result.put("seconds_to_first_step", untilFirst);
      result.put("loss", loss);
      return result;
    }
  }

  /** Bytes of the heap that a step takes: the least of several looks. */
  private static long heapBytes(Device device, Runnable step, int quiet) {
    long least = Long.MAX_VALUE;
    for (int look = 0; look < LOOKS; look++) {
      long before = THREADS.getTotalThreadAllocatedBytes();
      for (int i = 0; i < quiet; i++) {
        step.run();
      }
      device.synchronize();
      least = Math.min(least, THREADS.getTotalThreadAllocatedBytes() - before);
    }
    return least / quiet;
  }
}
