package dev.lamina.graph;

import java.util.List;
import java.util.function.Function;

/** Rebuilds expressions with parts exchanged; the results are simplified as {@link Exprs} does. */
public final class ExprRewriter {
  private ExprRewriter() {}

  /**
   * {@code expr} with each input i read from {@code replacements[i]}; the step of a random stream must become an input
   * again.
   */
  public static Expr substitute(Expr expr, List<Expr> replacements) {
    return switch (expr) {
      case Expr.Input(int index) -> replacements.get(index);
      case Expr.Constant _, Expr.Index _ -> expr;
      case Expr.Uniform(RandomStream stream) -> new Expr.Uniform(withStep(stream, replacements));
      case Expr.Bernoulli(RandomStream stream, long threshold) ->
          new Expr.Bernoulli(withStep(stream, replacements), threshold);
      default -> children(expr, child -> substitute(child, replacements));
    };
  }

  private static RandomStream withStep(RandomStream stream, List<Expr> replacements) {
    if (!(replacements.get(stream.step()) instanceof Expr.Input(int index))) {
      throw new IllegalArgumentException("the step of a random stream is an input, it cannot be computed");
    }
    return stream.withStep(index);
  }

  /** {@code expr} with every part equal to {@code part} replaced. */
  static Expr replace(Expr expr, Expr part, Expr replacement) {
    return expr.equals(part) ? replacement : children(expr, child -> replace(child, part, replacement));
  }

  /** Whether input {@code index} is read, be it as the step of a random stream. */
  public static boolean reads(Expr expr, int index) {
    return switch (expr) {
      case Expr.Input(int i) -> i == index;
      case Expr.Constant _, Expr.Index _ -> false;
      case Expr.Uniform(RandomStream stream) -> stream.step() == index;
      case Expr.Bernoulli(RandomStream stream, long _) -> stream.step() == index;
      case Expr.Unary(Expr.UnaryOp _, Expr a) -> reads(a, index);
      case Expr.Binary(Expr.BinaryOp _, Expr a, Expr b) -> reads(a, index) || reads(b, index);
      case Expr.Select(Expr.Relation _, Expr left, Expr right, Expr ifTrue, Expr ifFalse) ->
          reads(left, index) || reads(right, index) || reads(ifTrue, index) || reads(ifFalse, index);
    };
  }

  /** Whether the value depends on where the element lies: a coordinate or a random word. */
  public static boolean dependsOnPosition(Expr expr) {
    return switch (expr) {
      case Expr.Input _, Expr.Constant _ -> false;
      case Expr.Index _, Expr.Uniform _, Expr.Bernoulli _ -> true;
      case Expr.Unary(Expr.UnaryOp _, Expr a) -> dependsOnPosition(a);
      case Expr.Binary(Expr.BinaryOp _, Expr a, Expr b) -> dependsOnPosition(a) || dependsOnPosition(b);
      case Expr.Select(Expr.Relation _, Expr left, Expr right, Expr ifTrue, Expr ifFalse) ->
          dependsOnPosition(left)
              || dependsOnPosition(right)
              || dependsOnPosition(ifTrue)
              || dependsOnPosition(ifFalse);
    };
  }

  private static Expr children(Expr expr, Function<Expr, Expr> rebuild) {
    return switch (expr) {
      case Expr.Input _, Expr.Constant _, Expr.Index _, Expr.Uniform _, Expr.Bernoulli _ -> expr;
      case Expr.Unary(Expr.UnaryOp op, Expr a) -> Exprs.unary(op, rebuild.apply(a));
      case Expr.Binary(Expr.BinaryOp op, Expr a, Expr b) -> Exprs.binary(op, rebuild.apply(a), rebuild.apply(b));
      case Expr.Select(Expr.Relation relation, Expr left, Expr right, Expr ifTrue, Expr ifFalse) ->
          Exprs.select(
              relation, rebuild.apply(left), rebuild.apply(right), rebuild.apply(ifTrue), rebuild.apply(ifFalse));
    };
  }
}
