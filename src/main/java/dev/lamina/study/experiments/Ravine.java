package dev.lamina.study.experiments;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Gradients;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.optim.Optimizer;
import dev.lamina.optim.Update;
import dev.lamina.study.Computation;
import dev.lamina.study.Setting;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** Optimizers on {@code f(x, y) = ½(x² + 50·y²)} from (−8, 1): flat one way, steep the other. */
final class Ravine {
  static final int STEPS = 60;
  private static final float[] START = {-8, 1};
  private static final double STEEP = 50;
  private static final TensorType POINT = TensorType.f32(2);

  private Ravine() {}

  /**
   * The way of an optimizer.
   *
   * @param xs of the start and after each step
   * @param ys the same
   * @param values of f there
   */
  record Path(double rate, double[] xs, double[] ys, double[] values) {
    double last() {
      return values[STEPS];
    }
  }

  /** The way that is lowest at its end, of those with {@code rates}. */
  static Path best(Setting setting, Optimizer optimizer, double[] rates) {
    return Arrays.stream(rates)
        .mapToObj(rate -> walk(setting, optimizer, rate))
        // NaN compares as larger than every number.
        .min(Comparator.comparingDouble(Path::last))
        .orElseThrow();
  }

  static Path walk(Setting setting, Optimizer optimizer, double rate) {
    Variable place = new Variable("place", POINT, Variable.Kind.WEIGHT);
    Variable counter = new Variable("step", TensorType.of(DType.I32), Variable.Kind.COUNTER);
    Graph graph = new Graph();
    Tensor w = graph.read(place);
    Expr steepness =
        Exprs.select(Relation.EQ, new Expr.Index(0), Exprs.constant(0), Exprs.constant(0.5), Exprs.constant(STEEP / 2));
    Tensor factor = graph.one(new Op.Map(steepness, DType.F32, Shape.of(2)));
    Tensor f = w.times(w).times(factor).sum();
    graph.output("value", f);
    Tensor step = graph.read(counter).plus(1);
    graph.assign(counter, step);
    Tensor rateInput = graph.input("rate", TensorType.of(DType.F32));
    Update update = new Update("place", w, Gradients.of(f, List.of(w)).getFirst(), rateInput, step, false);
    graph.assign(place, optimizer.next(update));
    double[] xs = new double[STEPS + 1];
    double[] ys = new double[STEPS + 1];
    double[] values = new double[STEPS + 1];
    try (Computation computation = new Computation(setting.device(), graph);
        Arena arena = Arena.ofConfined()) {
      computation.write(place, HostTensor.of(arena, Shape.of(2), START));
      computation.stage("rate", TensorType.of(DType.F32), rate);
      for (int i = 0; i <= STEPS; i++) {
        double[] at = computation.read(place);
        xs[i] = at[0];
        ys[i] = at[1];
        computation.run();
        values[i] = computation.read("value")[0];
      }
    }
    return new Path(rate, xs, ys, values);
  }
}
