package dev.lamina.graph;

import static dev.lamina.graph.Exprs.add;
import static dev.lamina.graph.Exprs.constant;
import static dev.lamina.graph.Exprs.div;
import static dev.lamina.graph.Exprs.exp;
import static dev.lamina.graph.Exprs.mul;
import static dev.lamina.graph.Exprs.neg;
import static dev.lamina.graph.Exprs.select;
import static dev.lamina.graph.Exprs.sigmoid;
import static dev.lamina.graph.Exprs.sign;
import static dev.lamina.graph.Exprs.sub;

import dev.lamina.graph.Expr.BinaryOp;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Expr.UnaryOp;
import java.util.Optional;

/**
 * Derivatives of scalar expressions, as expressions. They are built with the incoming gradient already in them, and the
 * derivative of a select is a select: where a branch is constant the gradient is 0 and not 0·g, which an infinite g
 * would turn into NaN.
 */
final class Derivative {
  /** 2/√π, the derivative of the error function at 0. */
  private static final double ERF_SLOPE = 2 / Math.sqrt(Math.PI);

  private Derivative() {}

  /** {@code upstream · ∂expr/∂input}; empty where that is 0 whatever the values. */
  static Optional<Expr> of(Expr expr, int input, Expr upstream) {
    return switch (expr) {
      case Expr.Input(int index) -> index == input ? Optional.of(upstream) : Optional.empty();
      case Expr.Constant _, Expr.Index _, Expr.Uniform _, Expr.Bernoulli _ -> Optional.empty();
      case Expr.Unary(UnaryOp op, Expr a) -> ofUnary(op, a, expr, upstream).flatMap(g -> of(a, input, g));
      case Expr.Binary(BinaryOp op, Expr a, Expr b) -> ofBinary(op, a, b, expr, input, upstream);
      case Expr.Select(Relation relation, Expr left, Expr right, Expr ifTrue, Expr ifFalse) -> {
        Optional<Expr> whenTrue = of(ifTrue, input, upstream);
        Optional<Expr> whenFalse = of(ifFalse, input, upstream);
        yield whenTrue.isEmpty() && whenFalse.isEmpty()
            ? Optional.empty()
            : Optional.of(select(relation, left, right, whenTrue.orElse(constant(0)), whenFalse.orElse(constant(0))));
      }
    };
  }

  /** {@code g · op′(a)}, in terms of {@code y = op(a)} where that is cheaper or safer. */
  private static Optional<Expr> ofUnary(UnaryOp op, Expr a, Expr y, Expr g) {
    return switch (op) {
      case NEG -> Optional.of(neg(g));
      case ABS -> Optional.of(mul(g, sign(a)));
      case SIGN -> Optional.empty();
      case SQRT -> Optional.of(div(mul(g, 0.5), y));
      case EXP -> Optional.of(mul(g, y));
      case EXPM1 -> Optional.of(mul(g, add(y, 1)));
      case LOG -> Optional.of(div(g, a));
      case LOG1P -> Optional.of(div(g, add(a, 1)));
      case TANH -> Optional.of(mul(g, sub(1, mul(y, y))));
      case SIGMOID -> Optional.of(mul(g, mul(y, sub(1, y))));
      case SOFTPLUS -> Optional.of(mul(g, sigmoid(a)));
      case ERF -> Optional.of(mul(g, mul(exp(neg(mul(a, a))), ERF_SLOPE)));
    };
  }

  private static Optional<Expr> ofBinary(BinaryOp op, Expr a, Expr b, Expr y, int input, Expr g) {
    return switch (op) {
      case ADD -> sum(of(a, input, g), of(b, input, g));
      case SUB -> sum(of(a, input, g), of(b, input, neg(g)));
      case MUL -> sum(of(a, input, mul(g, b)), of(b, input, mul(g, a)));
      case DIV -> sum(of(a, input, div(g, b)), of(b, input, neg(div(mul(g, y), b))));
      case MAX -> sum(of(a, input, winner(Relation.LT, a, b, g)), of(b, input, winner(Relation.LT, b, a, g)));
      case MIN -> sum(of(a, input, winner(Relation.GT, a, b, g)), of(b, input, winner(Relation.GT, b, a, g)));
    };
  }

  /**
   * The gradient of {@code a} where the larger (or smaller) of two is taken: half for each of equals, as in PyTorch.
   */
  private static Expr winner(Relation loses, Expr a, Expr b, Expr g) {
    return select(loses, a, b, constant(0), select(Relation.EQ, a, b, mul(g, 0.5), g));
  }

  private static Optional<Expr> sum(Optional<Expr> a, Optional<Expr> b) {
    return a.isPresent() && b.isPresent() ? Optional.of(add(a.get(), b.get())) : a.or(() -> b);
  }

  /**
   * {@code derivative} of {@code expr} with {@code expr}'s own value, read as input {@code output}, in place of
   * whatever it can stand for. When the arguments vanish from it, they need not be kept for the backward pass.
   */
  static Expr inTermsOfOutput(Expr derivative, Expr expr, int output) {
    Expr y = Exprs.input(output);
    Expr rewritten = ExprRewriter.replace(derivative, expr, y);
    if (expr instanceof Expr.Select(Relation relation, Expr x, Expr bound, Expr low, Expr high)
        && relation == Relation.LE
        && Exprs.isZero(bound)
        && keepsSign(low, x, false)
        && keepsSign(high, x, true)
        && rewritten instanceof Expr.Select(Relation same, Expr x2, Expr bound2, Expr lowSlope, Expr highSlope)
        && same == relation
        && x2.equals(x)
        && bound2.equals(bound)) {
      return select(relation, y, bound, viaBranch(lowSlope, low, y), viaBranch(highSlope, high, y));
    }
    return rewritten;
  }

  /**
   * {@code slope} with {@code y} for the branch's value, and y/α for f where the branch is α·f: an ELU's exponential.
   */
  private static Expr viaBranch(Expr slope, Expr branch, Expr y) {
    Expr rewritten = ExprRewriter.replace(slope, branch, y);
    return branch instanceof Expr.Binary(BinaryOp op, Expr f, Expr.Constant(double factor))
            && op == BinaryOp.MUL
            && factor != 0
        ? ExprRewriter.replace(rewritten, f, mul(y, 1 / factor))
        : rewritten;
  }

  /**
   * Whether {@code branch} is positive exactly where {@code x} is, in floating point too: a factor below 1 could round
   * a small x to 0.
   */
  private static boolean keepsSign(Expr branch, Expr x, boolean positiveSide) {
    return switch (branch) {
      case Expr.Constant(double value) -> !positiveSide && value <= 0;
      case Expr.Unary(UnaryOp op, Expr a) when op == UnaryOp.EXPM1 || op == UnaryOp.TANH ->
          !positiveSide && a.equals(x);
      case Expr.Binary(BinaryOp op, Expr a, Expr.Constant(double factor)) when op == BinaryOp.MUL ->
          factor >= (positiveSide ? 1 : 0) && keepsSign(a, x, positiveSide);
      case Expr.Binary(BinaryOp op, Expr.Constant(double factor), Expr a) when op == BinaryOp.MUL ->
          factor >= (positiveSide ? 1 : 0) && keepsSign(a, x, positiveSide);
      default -> branch.equals(x);
    };
  }
}
