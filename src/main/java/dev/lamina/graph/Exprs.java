package dev.lamina.graph;

import dev.lamina.graph.Expr.Binary;
import dev.lamina.graph.Expr.BinaryOp;
import dev.lamina.graph.Expr.Constant;
import dev.lamina.graph.Expr.Input;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Expr.Select;
import dev.lamina.graph.Expr.Unary;
import dev.lamina.graph.Expr.UnaryOp;

/**
 * The words in which expressions are written. Each folds constants and drops what changes nothing ({@code x·1}, {@code
 * x+0}); it never drops what could hide a NaN ({@code x·0} stays).
 */
public final class Exprs {
  private static final Expr ZERO = new Constant(0);
  private static final Expr ONE = new Constant(1);

  private Exprs() {}

  /** Input {@code index}. */
  public static Expr input(int index) {
    return new Input(index);
  }

  /** A number. */
  public static Expr constant(double value) {
    return new Constant(value);
  }

  /** Applies {@code op}, folded if {@code a} is a constant. */
  public static Expr unary(UnaryOp op, Expr a) {
    if (a instanceof Constant c) {
      return constant(ExprEvaluator.apply(op, c.value()));
    }
    if (op == UnaryOp.NEG && a instanceof Unary(UnaryOp inner, Expr b) && inner == UnaryOp.NEG) {
      return b;
    }
    return new Unary(op, a);
  }

  /** Applies {@code op}, simplified where a constant operand allows. */
  public static Expr binary(BinaryOp op, Expr a, Expr b) {
    if (a instanceof Constant x && b instanceof Constant y) {
      return constant(ExprEvaluator.apply(op, x.value(), y.value()));
    }
    return switch (op) {
      case ADD -> isZero(a) ? b : isZero(b) ? a : new Binary(op, a, b);
      case SUB -> isZero(b) ? a : isZero(a) ? neg(b) : new Binary(op, a, b);
      case MUL -> isOne(a) ? b : isOne(b) ? a : new Binary(op, a, b);
      case DIV -> isOne(b) ? a : new Binary(op, a, b);
      case MIN, MAX -> a.equals(b) ? a : new Binary(op, a, b);
    };
  }

  /** {@code left relation right ? ifTrue : ifFalse}. */
  public static Expr select(Relation relation, Expr left, Expr right, Expr ifTrue, Expr ifFalse) {
    if (ifTrue.equals(ifFalse)) {
      return ifTrue;
    }
    if (left instanceof Constant a && right instanceof Constant b) {
      return ExprEvaluator.holds(relation, a.value(), b.value()) ? ifTrue : ifFalse;
    }
    return new Select(relation, left, right, ifTrue, ifFalse);
  }

  public static Expr add(Expr a, Expr b) {
    return binary(BinaryOp.ADD, a, b);
  }

  public static Expr sub(Expr a, Expr b) {
    return binary(BinaryOp.SUB, a, b);
  }

  public static Expr mul(Expr a, Expr b) {
    return binary(BinaryOp.MUL, a, b);
  }

  public static Expr div(Expr a, Expr b) {
    return binary(BinaryOp.DIV, a, b);
  }

  public static Expr min(Expr a, Expr b) {
    return binary(BinaryOp.MIN, a, b);
  }

  public static Expr max(Expr a, Expr b) {
    return binary(BinaryOp.MAX, a, b);
  }

  public static Expr add(Expr a, double b) {
    return add(a, constant(b));
  }

  public static Expr sub(Expr a, double b) {
    return sub(a, constant(b));
  }

  public static Expr sub(double a, Expr b) {
    return sub(constant(a), b);
  }

  public static Expr mul(Expr a, double b) {
    return mul(a, constant(b));
  }

  public static Expr div(double a, Expr b) {
    return div(constant(a), b);
  }

  public static Expr neg(Expr a) {
    return unary(UnaryOp.NEG, a);
  }

  public static Expr abs(Expr a) {
    return unary(UnaryOp.ABS, a);
  }

  public static Expr sign(Expr a) {
    return unary(UnaryOp.SIGN, a);
  }

  public static Expr sqrt(Expr a) {
    return unary(UnaryOp.SQRT, a);
  }

  public static Expr exp(Expr a) {
    return unary(UnaryOp.EXP, a);
  }

  public static Expr expm1(Expr a) {
    return unary(UnaryOp.EXPM1, a);
  }

  public static Expr log(Expr a) {
    return unary(UnaryOp.LOG, a);
  }

  public static Expr log1p(Expr a) {
    return unary(UnaryOp.LOG1P, a);
  }

  public static Expr tanh(Expr a) {
    return unary(UnaryOp.TANH, a);
  }

  public static Expr sigmoid(Expr a) {
    return unary(UnaryOp.SIGMOID, a);
  }

  public static Expr softplus(Expr a) {
    return unary(UnaryOp.SOFTPLUS, a);
  }

  public static Expr erf(Expr a) {
    return unary(UnaryOp.ERF, a);
  }

  /** 1 where {@code a} is neither infinite nor NaN, else 0. */
  public static Expr isFinite(Expr a) {
    return select(Relation.LT, abs(a), constant(Double.POSITIVE_INFINITY), ONE, ZERO);
  }

  /** {@code value > 0 ? ifTrue : ifFalse}. */
  public static Expr ifPositive(Expr value, Expr ifTrue, Expr ifFalse) {
    return select(Relation.GT, value, ZERO, ifTrue, ifFalse);
  }

  /**
   * {@code value <= 0 ? ifTrue : ifFalse}; NaN takes the second branch, and so survives an activation that is the
   * identity there.
   */
  public static Expr ifNotPositive(Expr value, Expr ifTrue, Expr ifFalse) {
    return select(Relation.LE, value, ZERO, ifTrue, ifFalse);
  }

  static boolean isZero(Expr e) {
    return e instanceof Constant c && c.value() == 0;
  }

  static boolean isOne(Expr e) {
    return e instanceof Constant c && c.value() == 1;
  }
}
