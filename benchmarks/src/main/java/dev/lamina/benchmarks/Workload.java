package dev.lamina.benchmarks;

import dev.lamina.graph.Cost;

/** Something to be timed: ready on a device, with its operands. */
public interface Workload extends AutoCloseable {

  /** Does it once, and returns when it is done. */
  void run();

  /** What one run costs at least. */
  Cost cost();

  /** By which the time of a run is divided in tables. */
  long elements();

  /**
   * Holds the results of a run against those of the reference device.
   *
   * @return the largest error in units of the last place; NaN where that says nothing
   * @throws IllegalStateException if they disagree
   */
  double verify();

  @Override
  void close();
}
