package dev.lamina.benchmarks;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** What is known of a workload besides its time; JMH puts it among the results as secondary metrics. */
@AuxCounters(AuxCounters.Type.EVENTS)
@State(Scope.Thread)
public class Figures {
  private Known known;

  /**
   * The figures themselves.
   *
   * @param elements by which the time is divided
   * @param flops floating-point operations of a run
   * @param bytes that a run reads and writes at least
   * @param ulps the largest error in units of the last place
   */
  record Known(double elements, double flops, double bytes, double ulps) {}

  /** Sets all of them. Called within the timed region, since JMH takes no counters that setup has seen: one store. */
  void are(Known figures) {
    known = figures;
  }

  public double elements() {
    return known.elements;
  }

  public double flops() {
    return known.flops;
  }

  public double bytes() {
    return known.bytes;
  }

  public double ulps() {
    return known.ulps;
  }
}
