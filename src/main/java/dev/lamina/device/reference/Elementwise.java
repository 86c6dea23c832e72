package dev.lamina.device.reference;

import dev.lamina.graph.Expr;
import dev.lamina.tensor.Shape;
import java.util.List;

/** Expressions over a shape, one output each. */
final class Elementwise implements Computation {
  private final Expr[] exprs;
  private final Grid grid;

  Elementwise(List<Expr> exprs, Shape shape, List<Shape> inputs) {
    this.exprs = exprs.toArray(Expr[]::new);
    this.grid = Grid.over(shape, inputs);
  }

  @Override
  public void run(double[][] in, double[][] out) {
    for (grid.start(in); grid.inside(); grid.advance()) {
      for (int i = 0; i < exprs.length; i++) {
        out[i][grid.index()] = grid.evaluate(exprs[i]);
      }
    }
  }
}
