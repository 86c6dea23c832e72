package dev.lamina.conformance;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.BinaryOp;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Expr.UnaryOp;
import dev.lamina.graph.ExprEvaluator;
import dev.lamina.tensor.DType;
import java.util.List;
import java.util.function.IntFunction;

/**
 * A value and how far a device that computes in floating point may be from it: running error analysis (Higham,
 * "Accuracy and Stability of Numerical Algorithms", 2nd ed., section 3.3), operation by operation.
 *
 * @param value computed in double
 * @param error an absolute bound; infinite where the analysis gives up, because the precision's range was left on the
 *     way
 */
record Approximation(double value, double error) {

  /** Which precision the device computes in. */
  enum Precision {
    SINGLE(0x1p-24, 4, Float.MIN_NORMAL, Float.MAX_VALUE),
    /** For results that are going to be rounded to 16 bits: functions are coarser. */
    COARSE(0x1p-24, 256, Float.MIN_NORMAL, Float.MAX_VALUE),
    DOUBLE(0x1p-53, 4, Double.MIN_NORMAL, Double.MAX_VALUE);

    /** Half the distance between 1 and the next number: the relative error of one rounding. */
    final double unit;

    /** Transcendental functions may be wrong by 2 ulp, which are up to 4 units of relative error, or more. */
    final double functionUnits;

    /** Results below it may be flushed to zero. */
    final double tiny;

    final double largest;

    Precision(double unit, double functionUnits, double tiny, double largest) {
      this.unit = unit;
      this.functionUnits = functionUnits;
      this.tiny = tiny;
      this.largest = largest;
    }

    /** The precision of expressions that {@link Expr#precision} names. */
    static Precision of(DType dtype) {
      return dtype == DType.F64 ? DOUBLE : SINGLE;
    }

    /** The precision of expressions whose results are stored in {@code outputs}. */
    static Precision of(List<DType> inputs, List<DType> outputs) {
      Precision precision = of(Expr.precision(inputs, outputs));
      boolean coarse = outputs.stream().allMatch(dtype -> dtype == DType.BF16 || dtype == DType.F16);
      return precision == SINGLE && coarse ? COARSE : precision;
    }
  }

  /**
   * The value of {@code expr} at one element, and its error.
   *
   * @param at answers for inputs, coordinates and random words
   */
  static <E extends ExprEvaluator.Element & IntFunction<Approximation>> Approximation of(
      Expr expr, E at, Precision precision) {
    return new Analysis(at, at, precision).evaluate(expr);
  }

  private record Analysis(IntFunction<Approximation> inputs, ExprEvaluator.Element at, Precision precision) {

    Approximation evaluate(Expr expr) {
      return switch (expr) {
        case Expr.Input(int index) -> converted(inputs.apply(index));
        case Expr.Constant(double value) -> converted(new Approximation(value, 0));
        case Expr.Index _, Expr.Uniform _, Expr.Bernoulli _ -> new Approximation(ExprEvaluator.evaluate(expr, at), 0);
        case Expr.Unary(UnaryOp op, Expr a) -> apply(op, operand(a));
        case Expr.Binary(BinaryOp op, Expr a, Expr b) -> apply(op, operand(a), operand(b));
        case Expr.Select(Relation relation, Expr left, Expr right, Expr ifTrue, Expr ifFalse) ->
            select(relation, operand(left), operand(right), ifTrue, ifFalse);
      };
    }

    /**
     * An intermediate value beyond the precision's range is infinite on the device: nothing that is made of it can be
     * foretold.
     */
    private Approximation operand(Expr expr) {
      Approximation a = evaluate(expr);
      boolean overflow = Double.isFinite(a.value) && Math.abs(a.value) + a.error > precision.largest;
      return overflow ? new Approximation(a.value, Double.POSITIVE_INFINITY) : a;
    }

    /** A number that the precision may not be able to hold. */
    private Approximation converted(Approximation a) {
      boolean exact = precision == Precision.DOUBLE || (float) a.value == a.value || Double.isNaN(a.value);
      return exact ? a : rounded(a.value, a.error, 1);
    }

    private Approximation select(
        Relation relation, Approximation left, Approximation right, Expr ifTrue, Expr ifFalse) {
      boolean holds = ExprEvaluator.holds(relation, left.value, right.value);
      Approximation taken = operand(holds ? ifTrue : ifFalse);
      double doubt = left.error + right.error;
      boolean surelyNaN = Double.isNaN(left.value) && left.error == 0 || Double.isNaN(right.value) && right.error == 0;
      if (doubt == 0 || surelyNaN || Math.abs(left.value - right.value) > doubt) {
        return taken;
      }
      Approximation other = operand(holds ? ifFalse : ifTrue);
      double error = Math.max(taken.error, other.error + Math.abs(taken.value - other.value));
      return new Approximation(taken.value, Double.isNaN(error) ? Double.POSITIVE_INFINITY : error);
    }

    private Approximation apply(UnaryOp op, Approximation a) {
      double value = ExprEvaluator.apply(op, a.value);
      if (a.error == 0 && !Double.isFinite(value)) {
        return new Approximation(value, 0);
      }
      double x = a.value;
      double e = a.error;
      boolean undefined = (op == UnaryOp.SQRT || op == UnaryOp.LOG) && x + e < 0 || op == UnaryOp.LOG1P && x + e < -1;
      if (undefined) {
        return new Approximation(Double.NaN, 0);
      }
      return switch (op) {
        case NEG, ABS -> new Approximation(value, e);
        case SIGN -> new Approximation(value, e > 0 && Math.abs(x) <= e ? 2 : 0);
        case SQRT -> rounded(value, Math.sqrt(Math.max(x + e, 0)) - Math.sqrt(Math.max(x - e, 0)), 1);
        case EXP -> rounded(value, value * Math.expm1(e), precision.functionUnits);
        case EXPM1 -> rounded(value, Math.exp(x) * Math.expm1(e), precision.functionUnits);
        case LOG -> rounded(value, e < x ? -Math.log1p(-e / x) : Double.POSITIVE_INFINITY, precision.functionUnits);
        case LOG1P ->
            rounded(value, e < 1 + x ? -Math.log1p(-e / (1 + x)) : Double.POSITIVE_INFINITY, precision.functionUnits);
        case TANH -> rounded(value, Math.min(e, 2), precision.functionUnits);
        case SIGMOID -> rounded(value, Math.min(e / 4, value * Math.expm1(e)), precision.functionUnits);
        case SOFTPLUS -> rounded(value, Math.min(e, value * Math.expm1(e)), precision.functionUnits);
        case ERF -> rounded(value, Math.min(2 / Math.sqrt(Math.PI) * e, 2), precision.functionUnits);
      };
    }

    private Approximation apply(BinaryOp op, Approximation a, Approximation b) {
      double value = ExprEvaluator.apply(op, a.value, b.value);
      if (a.error == 0 && b.error == 0 && !Double.isFinite(value)) {
        return new Approximation(value, 0);
      }
      return switch (op) {
        case ADD, SUB -> rounded(value, a.error + b.error, 1);
        case MUL ->
            rounded(value, product(a.value, b.error) + product(b.value, a.error) + product(a.error, b.error), 1);
        case DIV -> rounded(value, quotientError(value, a, b), 1);
        case MIN, MAX -> new Approximation(value, Math.max(a.error, b.error));
      };
    }

    /** Without the NaN of 0·∞: what is exact adds nothing. */
    private static double product(double factor, double error) {
      return error == 0 ? 0 : Math.abs(factor) * error;
    }

    private static double quotientError(double quotient, Approximation a, Approximation b) {
      if (a.error == 0 && b.error == 0) {
        return 0;
      }
      double nearest = Math.abs(b.value) - b.error;
      return nearest > 0 ? (a.error + product(quotient, b.error)) / nearest : Double.POSITIVE_INFINITY;
    }

    private Approximation rounded(double value, double propagated, double units) {
      double error = propagated + units * precision.unit * (Math.abs(value) + propagated) + precision.tiny;
      return new Approximation(value, Double.isNaN(error) ? Double.POSITIVE_INFINITY : error);
    }
  }
}
