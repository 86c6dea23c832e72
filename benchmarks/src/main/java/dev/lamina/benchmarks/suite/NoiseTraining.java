package dev.lamina.benchmarks.suite;

import dev.lamina.device.Device;
import dev.lamina.device.Preparation;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import dev.lamina.train.CompiledModel;
import dev.lamina.train.Precision;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/** A network compiled for training, with a batch of noise on the host. Tells how far it has come. */
final class NoiseTraining implements AutoCloseable {
  /** So small that thousands of steps on noise do not end in infinity. */
  private static final double RATE = 1e-4;

  /** Nanoseconds between two lines about what is compiled: on a new GPU that can take longer than there is time. */
  private static final long PATIENCE = TimeUnit.SECONDS.toNanos(5);

  private final CompiledModel model;
  private final HostTensor images;
  private final HostTensor labels;
  private long told = System.nanoTime();

  NoiseTraining(Device device, Network network, Precision precision) {
    long begin = System.nanoTime();
    model = CompiledModel.compile(device, network.spec(precision), this::tell);
    model.initialise();
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("kind", "prepared");
    line.put("network", network.name());
    line.put("precision", precision.name().toLowerCase(Locale.ROOT));
    line.put("seconds", (System.nanoTime() - begin) * 1e-9);
    new JsonLines(System.out).write(line);
    images = device.allocateHost(network.images());
    labels = device.allocateHost(TensorType.of(DType.I32, network.batch()));
    var random = new SplittableRandom(1);
    for (long i = 0; i < images.size(); i++) {
      images.set(i, random.nextInt(256));
    }
    for (long i = 0; i < labels.size(); i++) {
      labels.set(i, random.nextInt(network.classes()));
    }
  }

  private void tell(Preparation kernel) {
    long now = System.nanoTime();
    if (now - told >= PATIENCE) {
      told = now;
      System.err.printf(
          "%s: %d of %d kernels, %s%n",
          kernel.stage().name().toLowerCase(Locale.ROOT), kernel.done(), kernel.all(), kernel.next().label());
    }
  }

  CompiledModel model() {
    return model;
  }

  /** Copies the batch in and takes a step. */
  void update() {
    model.update(images, labels, RATE);
  }

  @Override
  public void close() {
    model.close();
  }
}
