package dev.lamina.benchmarks;

import static dev.lamina.benchmarks.TextTable.number;
import static dev.lamina.benchmarks.TextTable.percent;

import java.util.List;
import java.util.Locale;

/** Everything but the activations, a line each. */
final class OperationTable {
  private OperationTable() {}

  /** The table, empty if there is nothing to stand in it. */
  static String of(List<Measurement> measurements) {
    List<Measurement> operations = measurements.stream().filter(m -> !m.benchmark().equals("Activation")).toList();
    if (operations.isEmpty()) {
      return "";
    }
    var roofs = new Roofs(measurements);
    var table = new TextTable(3, List.of("", "device", "", "µs", "±", "ns/element", "GFLOP/s", "GB/s", "of copy"));
    for (Measurement m : operations) {
      String size = m.benchmark().equals("Copy") ? m.parameter("size") : Footprint.DRAM.name();
      String parameters = String.join(" ", m.parametersWithout(List.of("device")));
      table.row(
          List.of(
              m.benchmark(),
              m.parameter("device"),
              parameters.toLowerCase(Locale.ROOT),
              number(m.nanoseconds() / 1000),
              number(m.error() / 1000),
              number(m.perElement()),
              number(m.gigaflops()),
              number(m.gigabytes()),
              percent(roofs.share(m, size))));
    }
    return "\nOperations (of copy: beside a copy in DRAM; more than 100 % means that caches helped)\n" + table;
  }
}
