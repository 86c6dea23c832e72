package dev.lamina.train;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.lamina.conformance.Conformance;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceProvider;
import dev.lamina.loss.SoftmaxCrossEntropy;
import dev.lamina.nn.BatchNorm;
import dev.lamina.nn.Conv2d;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.recurrent.Gru;
import dev.lamina.optim.Momentum;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.management.ManagementFactory;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * A step of a compiled model, with the staging of its inputs, makes no garbage on the thread that drives a device. The
 * CPU, whose vectors live on the heap until they are compiled, is left to {@link GarbageTest}.
 */
class StepGarbageTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int QUIET = 20;

  /** By then all that is called was compiled, which is when boxing ends. */
  private static final int MOST_STEPS = 2000;

  @TestFactory
  Stream<DynamicTest> twentyStepsInARowAllocateNothing() {
    return Conformance.devices().stream()
        .filter(provider -> !provider.name().equals("cpu"))
        .map(provider -> DynamicTest.dynamicTest(provider.name(), () -> on(provider)));
  }

  private static void on(DeviceProvider provider) {
    var model = new Sequential(new Conv2d(4, 3), new BatchNorm(), new ReLU(), new Gru(4), new Dense(3));
    var example = TensorType.of(DType.U8, 4, 4, 1);
    var spec =
        ModelSpec.of(model, example, new SoftmaxCrossEntropy())
            .optimizer(new Momentum())
            .batch(2)
            .precision(Precision.FP32)
            .seed(1)
            .build();
    try (Device device = Conformance.open(provider);
        CompiledModel compiled = CompiledModel.compile(device, spec)) {
      compiled.initialise();
      // More batches than one, as a loader has, and a rate that changes.
      HostTensor[] images = new HostTensor[4];
      HostTensor[] labels = new HostTensor[4];
      for (int i = 0; i < 4; i++) {
        images[i] = device.allocateHost(TensorType.of(DType.U8, 2, 4, 4, 1));
        labels[i] = device.allocateHost(TensorType.of(DType.I32, 2));
      }
      int quiet = 0;
      long last = 0;
      for (int step = 0; step < MOST_STEPS && quiet < QUIET; step++) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        compiled.update(images[step % 4], labels[step % 4], 0.1 / (step + 1));
        last = THREADS.getCurrentThreadAllocatedBytes() - before;
        quiet = last == 0 ? quiet + 1 : 0;
      }
      device.synchronize();
      assertTrue(quiet == QUIET, "the last of " + MOST_STEPS + " steps still allocated " + last + " bytes");
    }
  }
}
