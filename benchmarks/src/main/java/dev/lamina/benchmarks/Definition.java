package dev.lamina.benchmarks;

import java.util.function.Consumer;

/**
 * What a benchmark computes, on whatever device.
 *
 * @param graph adds operations and outputs to an empty problem; the output {@code result} is the one whose accuracy is
 *     told
 * @param elements by which the time is divided in tables
 * @param sensitivity how many roundings may add up in a result of the size of the largest one: the length of sums,
 *     times the factor by which the slopes along the way enlarge an error
 */
public record Definition(Consumer<Problem> graph, long elements, double sensitivity) {
  /** The name of the output whose accuracy is told. */
  static final String RESULT = "result";
}
