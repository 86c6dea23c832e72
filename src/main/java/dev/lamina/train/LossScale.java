package dev.lamina.train;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;
import java.util.List;

/**
 * A factor that lifts gradients out of the range where 16-bit floats are zero, and is taken out again before the update
 * (Micikevicius et al. 2018). It is halved when a gradient overflows, and that update left out; after {@value
 * #PATIENCE} updates without one it is doubled. It lives on the device, so nobody waits for it.
 *
 * @param scale the factor at the start of the step
 * @param calm updates since it changed last
 */
record LossScale(Tensor scale, Tensor calm) {
  private static final double START = 65536;
  private static final double MOST = 1L << 24;
  private static final int PATIENCE = 2000;

  static final Variable SCALE = new Variable("training.loss_scale", TensorType.of(DType.F32), Variable.Kind.COUNTER);
  static final Variable CALM =
      new Variable("training.loss_scale_calm", TensorType.of(DType.I32), Variable.Kind.COUNTER);

  /** The state that it needs. */
  static final List<Variable> VARIABLES = List.of(SCALE, CALM);

  /** Reads it; variables begin as zeros, and zero stands for the start. */
  static LossScale read(Graph graph) {
    Expr started = Exprs.select(Relation.GT, Exprs.input(0), Exprs.constant(0), Exprs.input(0), Exprs.constant(START));
    return new LossScale(graph.read(SCALE).map(started), graph.read(CALM));
  }

  /** The loss whose gradients are computed. */
  Tensor lifted(Tensor loss) {
    return loss.times(scale);
  }

  /** What {@code gradient} would be without it. */
  Tensor lowered(Tensor gradient) {
    return gradient.over(scale);
  }

  /** Assigns the next one. {@code finite} is 1 where this update's gradients were, else 0. */
  void advance(Graph graph, Tensor finite) {
    Expr patient = Exprs.add(Exprs.input(2), 1);
    Expr doubled = Exprs.min(Exprs.mul(Exprs.input(1), 2), Exprs.constant(MOST));
    Expr risen = Exprs.select(Relation.GE, patient, Exprs.constant(PATIENCE), doubled, Exprs.input(1));
    Expr halved = Exprs.max(Exprs.mul(Exprs.input(1), 0.5), Exprs.constant(1));
    graph.assign(SCALE, finite.map(Exprs.ifPositive(Exprs.input(0), risen, halved), DType.F32, scale, calm));
    Expr counted = Exprs.select(Relation.GE, patient, Exprs.constant(PATIENCE), Exprs.constant(0), patient);
    graph.assign(
        CALM, finite.map(Exprs.ifPositive(Exprs.input(0), counted, Exprs.constant(0)), DType.I32, scale, calm));
  }
}
