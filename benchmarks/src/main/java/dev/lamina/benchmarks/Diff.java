package dev.lamina.benchmarks;

import static dev.lamina.benchmarks.TextTable.number;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Compares two files of results: {@code Diff A B}. Measurements that differ by more than both errors are marked. */
public final class Diff {
  private Diff() {}

  /** Prints the comparison; exits with 2 and a line if a file cannot be read. */
  public static void main(String[] args) {
    if (args.length != 2) {
      System.err.println("benchmarks/diff: expected two files of results, got " + args.length);
      System.exit(2);
    }
    try {
      System.out.print(compare(Results.read(Path.of(args[0])), Results.read(Path.of(args[1]))));
    } catch (IllegalArgumentException e) {
      System.err.println("benchmarks/diff: " + e.getMessage());
      System.exit(2);
    }
  }

  private static String compare(List<Measurement> before, List<Measurement> after) {
    Map<String, Measurement> old = new LinkedHashMap<>();
    before.forEach(m -> old.put(m.name(), m));
    var table = new TextTable(1, List.of("", "a µs", "b µs", "b / a", ""));
    List<String> added = new ArrayList<>();
    for (Measurement b : after) {
      Measurement a = old.remove(b.name());
      if (a == null) {
        added.add(b.name());
        continue;
      }
      table.row(
          List.of(
              b.name(),
              number(a.nanoseconds() / 1000),
              number(b.nanoseconds() / 1000),
              number(b.nanoseconds() / a.nanoseconds()),
              verdict(a, b)));
    }
    return table + list("only in a", List.copyOf(old.keySet())) + list("only in b", added);
  }

  /** Intervals that do not meet are a change; a single iteration, without error, proves none. */
  private static String verdict(Measurement a, Measurement b) {
    double difference = b.nanoseconds() - a.nanoseconds();
    boolean beyond = Math.abs(difference) > a.error() + b.error();
    return !beyond ? "" : difference < 0 ? "faster" : "slower";
  }

  private static String list(String title, List<String> names) {
    return names.isEmpty() ? "" : title + ":\n  " + String.join("\n  ", names) + "\n";
  }
}
