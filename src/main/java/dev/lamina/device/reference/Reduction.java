package dev.lamina.device.reference;

import dev.lamina.graph.Op;
import dev.lamina.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** An expression over a shape, joined along some of its axes. */
final class Reduction implements Computation {
  private final Op.Reduce reduce;
  private final int results;
  private final Grid grid;

  /** The operand of the grid that is the output: repeated along the reduced axes. */
  private final int output;

  Reduction(Op.Reduce reduce, List<Shape> inputs) {
    this.reduce = reduce;
    Shape kept = reduce.shape();
    for (int axis : reduce.axes()) {
      kept = kept.with(axis, 1);
    }
    this.results = Math.toIntExact(kept.size());
    List<Shape> operands = new ArrayList<>(inputs);
    operands.add(kept);
    this.grid = Grid.over(reduce.shape(), operands);
    this.output = inputs.size();
  }

  @Override
  public void run(double[][] in, double[][] out) {
    double[] result = out[0];
    Arrays.fill(result, 0, results, neutral());
    for (grid.start(in); grid.inside(); grid.advance()) {
      int at = grid.position(output);
      result[at] = join(result[at], grid.evaluate(reduce.value()));
    }
  }

  private double neutral() {
    return switch (reduce.kind()) {
      case SUM -> 0;
      case MAX -> Double.NEGATIVE_INFINITY;
      case MIN -> Double.POSITIVE_INFINITY;
    };
  }

  private double join(double a, double b) {
    return switch (reduce.kind()) {
      case SUM -> a + b;
      case MAX -> Math.max(a, b);
      case MIN -> Math.min(a, b);
    };
  }
}
