package dev.lamina.study;

import java.util.List;

/** Results as JMH writes them, of what is read of them. */
public final class JmhResults {
  private static final int ITERATIONS = 5;
  private static final double ELEMENTS = 8_388_608;

  private JmhResults() {}

  /** A whole file. */
  public static String of(String... results) {
    return "[" + String.join(",", results) + "]";
  }

  /** Forward and backward with so many nanoseconds a value. */
  public static String both(String device, String activation, double forward, double backward) {
    return String.join(
        ",",
        List.of(
            of(device, activation, "FORWARD", "DRAM", forward), of(device, activation, "BACKWARD", "DRAM", backward)));
  }

  /** One result. The counter's score is the sum over iterations. */
  public static String of(String device, String activation, String direction, String size, double nanos) {
    return """
    {"benchmark": "dev.lamina.benchmarks.ActivationBenchmark.run",
     "params": {"activation": "%s", "device": "%s", "direction": "%s", "input": "NORMAL",
                "neighbour": "ALONE", "size": "%s"},
     "primaryMetric": {"score": %s, "scoreError": "NaN", "scoreUnit": "ns/op"},
     "secondaryMetrics": {"elements": {"score": %s, "rawData": [[%s, %s]]}}}
    """
        .formatted(activation, device, direction, size, nanos * ELEMENTS, ITERATIONS * ELEMENTS, ELEMENTS, ELEMENTS);
  }
}
