package dev.lamina.benchmarks;

import static dev.lamina.benchmarks.TextTable.number;
import static dev.lamina.benchmarks.TextTable.percent;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** The activations beside each other, in one table for each setting of the other parameters. */
final class ActivationTable {
  private static final List<String> SETTINGS = List.of("device", "size", "input", "direction", "neighbour");

  private ActivationTable() {}

  /** The tables, empty if no activation was measured. */
  static String of(List<Measurement> measurements) {
    var roofs = new Roofs(measurements);
    Map<List<String>, List<Measurement>> groups =
        measurements.stream()
            .filter(m -> m.benchmark().equals("Activation"))
            .collect(
                Collectors.groupingBy(
                    m -> SETTINGS.stream().map(m::parameter).toList(), LinkedHashMap::new, Collectors.toList()));
    var text = new StringBuilder();
    groups.forEach((settings, group) -> text.append(table(settings, group, roofs)));
    return text.toString();
  }

  private static String table(List<String> settings, List<Measurement> group, Roofs roofs) {
    double relu =
        group.stream()
            .filter(m -> m.parameter("activation").equals(ActivationKind.RELU.name()))
            .mapToDouble(Measurement::nanoseconds)
            .findFirst()
            .orElse(Double.NaN);
    var table = new TextTable(1, List.of("", "ns/element", "±", "GB/s", "of copy", "max ulp", "x ReLU"));
    for (Measurement m : group) {
      table.row(
          List.of(
              m.parameter("activation").toLowerCase(Locale.ROOT),
              number(m.perElement()),
              number(m.error() / m.figure("elements")),
              number(m.gigabytes()),
              percent(roofs.share(m, m.parameter("size"))),
              number(m.figure("ulps")),
              number(m.nanoseconds() / relu)));
    }
    String heading = String.join(", ", settings).toLowerCase(Locale.ROOT).replace('_', ' ');
    return "\nActivations: " + heading + "\n" + table;
  }
}
