package dev.lamina.benchmarks;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What {@link CopyBenchmark} reached in the same run. */
final class Roofs {
  private final Map<String, Double> gigabytes = new HashMap<>();

  Roofs(List<Measurement> measurements) {
    measurements.stream()
        .filter(m -> m.benchmark().equals("Copy"))
        .forEach(m -> gigabytes.put(m.parameter("device") + m.parameter("size"), m.gigabytes()));
  }

  /** The share of the speed of a copy of this size that {@code measurement} reached; NaN if none was measured. */
  double share(Measurement measurement, String size) {
    return measurement.gigabytes() / gigabytes.getOrDefault(measurement.parameter("device") + size, Double.NaN);
  }
}
