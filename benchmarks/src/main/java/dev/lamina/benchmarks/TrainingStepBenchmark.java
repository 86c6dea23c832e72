package dev.lamina.benchmarks;

import dev.lamina.device.Device;

/**
 * A step of training on random digits, as {@code lamina train} does it: forward, loss, backward and update of a batch
 * of 64.
 */
public class TrainingStepBenchmark extends DeviceBenchmark {

  @Override
  Workload prepare(Device on) {
    return new TrainingWorkload(on);
  }
}
