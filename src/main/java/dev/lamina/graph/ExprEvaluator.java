package dev.lamina.graph;

import dev.lamina.graph.Expr.BinaryOp;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Expr.UnaryOp;
import org.apache.commons.numbers.gamma.Erf;

/**
 * Evaluates expressions in double with {@link StrictMath}: the meaning that every device's compiled form is held
 * against.
 */
public final class ExprEvaluator {

  /** What an expression may ask about the element it is evaluated for. */
  public interface Element {
    /** The value of input {@code index}. */
    double input(int index);

    /** The coordinate along {@code axis}. */
    long coordinate(int axis);

    /** The flat row-major index in the shape that is iterated. */
    long flatIndex();
  }

  private ExprEvaluator() {}

  /** The value of {@code expr} at {@code at}. */
  public static double evaluate(Expr expr, Element at) {
    return switch (expr) {
      case Expr.Input(int index) -> at.input(index);
      case Expr.Constant(double value) -> value;
      case Expr.Unary(UnaryOp op, Expr a) -> apply(op, evaluate(a, at));
      case Expr.Binary(BinaryOp op, Expr a, Expr b) -> apply(op, evaluate(a, at), evaluate(b, at));
      case Expr.Select(Relation relation, Expr left, Expr right, Expr ifTrue, Expr ifFalse) ->
          evaluate(holds(relation, evaluate(left, at), evaluate(right, at)) ? ifTrue : ifFalse, at);
      case Expr.Index(int axis) -> at.coordinate(axis);
      case Expr.Uniform(RandomStream stream) -> (word(stream, at) >>> 8) * 0x1p-24;
      case Expr.Bernoulli(RandomStream stream, long threshold) -> word(stream, at) < threshold ? 1 : 0;
    };
  }

  private static long word(RandomStream stream, Element at) {
    return Philox.word(stream, (int) at.input(stream.step()), at.flatIndex());
  }

  /** {@code op(a)}. */
  public static double apply(UnaryOp op, double a) {
    return switch (op) {
      case NEG -> -a;
      case ABS -> Math.abs(a);
      case SIGN -> a > 0 ? 1 : a < 0 ? -1 : a == 0 ? 0 : a;
      case SQRT -> Math.sqrt(a);
      case EXP -> StrictMath.exp(a);
      case EXPM1 -> StrictMath.expm1(a);
      case LOG -> StrictMath.log(a);
      case LOG1P -> StrictMath.log1p(a);
      case TANH -> StrictMath.tanh(a);
      case SIGMOID -> sigmoid(a);
      case SOFTPLUS -> a > 0 ? a + StrictMath.log1p(StrictMath.exp(-a)) : StrictMath.log1p(StrictMath.exp(a));
      case ERF -> Erf.value(a);
    };
  }

  private static double sigmoid(double a) {
    double e = StrictMath.exp(-Math.abs(a));
    return a >= 0 ? 1 / (1 + e) : e / (1 + e);
  }

  /** {@code op(a, b)}. */
  public static double apply(BinaryOp op, double a, double b) {
    return switch (op) {
      case ADD -> a + b;
      case SUB -> a - b;
      case MUL -> a * b;
      case DIV -> a / b;
      case MIN -> Math.min(a, b);
      case MAX -> Math.max(a, b);
    };
  }

  /** Whether {@code a relation b}. */
  public static boolean holds(Relation relation, double a, double b) {
    return switch (relation) {
      case LT -> a < b;
      case LE -> a <= b;
      case GT -> a > b;
      case GE -> a >= b;
      case EQ -> a == b;
      case NE -> a != b;
    };
  }
}
