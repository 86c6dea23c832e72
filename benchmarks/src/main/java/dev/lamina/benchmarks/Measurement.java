package dev.lamina.benchmarks;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * One line of results.
 *
 * @param benchmark its class, without package and ending: {@code MatMul}
 * @param parameters by name
 * @param nanoseconds of one run, the mean
 * @param error half the width of JMH's 99.9 % confidence interval in nanoseconds; NaN for a single iteration
 * @param figures the secondary metrics
 */
record Measurement(
    String benchmark,
    SequencedMap<String, String> parameters,
    double nanoseconds,
    double error,
    Map<String, Double> figures) {

  /** A secondary metric, NaN if there is none of this name. */
  double figure(String name) {
    return figures.getOrDefault(name, Double.NaN);
  }

  /** The value of a parameter, empty if there is none of this name. */
  String parameter(String name) {
    return parameters.getOrDefault(name, "");
  }

  /** The values of all parameters but those named. */
  List<String> parametersWithout(Collection<String> names) {
    return parameters.entrySet().stream().filter(e -> !names.contains(e.getKey())).map(Map.Entry::getValue).toList();
  }

  /** Benchmark and parameters: what two files are compared by. */
  String name() {
    return (benchmark + " " + String.join(" ", parametersWithout(List.of()))).strip();
  }

  /** 10⁹ floating-point operations a second. */
  double gigaflops() {
    return figure("flops") / nanoseconds;
  }

  /** 10⁹ bytes a second. */
  double gigabytes() {
    return figure("bytes") / nanoseconds;
  }

  /** Nanoseconds for each element. */
  double perElement() {
    return nanoseconds / figure("elements");
  }
}
