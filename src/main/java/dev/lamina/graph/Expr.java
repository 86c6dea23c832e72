package dev.lamina.graph;

import dev.lamina.tensor.DType;
import java.util.List;

/**
 * A scalar expression, evaluated once for each element of a tensor. Activations, dropout, casts, loss arithmetic and
 * optimizer updates are all expressions; each device has one way to run them: the reference device interprets, the CPU
 * compiles to bytecode, a GPU prints source.
 *
 * <p>An expression reads the values of its {@linkplain Input inputs} at one position. Arithmetic is IEEE 754 in the
 * precision that {@link #precision} names. The functions that cancel or overflow when composed from {@code exp} are
 * primitives ({@link UnaryOp}).
 */
public sealed interface Expr {

  /** The value of input {@code index} at the current element, repeated where that input is broadcast. */
  record Input(int index) implements Expr {}

  /** The same number everywhere. */
  record Constant(double value) implements Expr {}

  /** A function of one value. */
  record Unary(UnaryOp op, Expr a) implements Expr {}

  /** A function of two values. */
  record Binary(BinaryOp op, Expr a, Expr b) implements Expr {}

  /**
   * {@code left relation right ? ifTrue : ifFalse}. Comparisons are IEEE's: with a NaN on either side only {@link
   * Relation#NE} holds, so the branch that lets a NaN through should be the false one of the others.
   */
  record Select(Relation relation, Expr left, Expr right, Expr ifTrue, Expr ifFalse) implements Expr {}

  /** The element's coordinate along dimension {@code axis} of the shape that is iterated. */
  record Index(int axis) implements Expr {}

  /** A uniform number in [0, 1): the upper 24 bits of the element's random word, so exact in a float as well. */
  record Uniform(RandomStream stream) implements Expr {}

  /**
   * 1 where the element's random word, unsigned, is below {@code threshold} (0 to 2³²), else 0. An integer comparison:
   * the same on every device.
   */
  record Bernoulli(RandomStream stream, long threshold) implements Expr {}

  /** Functions of one value. All let NaN through. */
  enum UnaryOp {
    NEG,
    ABS,
    /** −1, 0 or 1; 0 for ±0. */
    SIGN,
    SQRT,
    EXP,
    /** {@code exp(a) − 1}, exact near 0. */
    EXPM1,
    LOG,
    /** {@code log(1 + a)}, exact near 0. */
    LOG1P,
    TANH,
    /** {@code 1 / (1 + exp(−a))}. */
    SIGMOID,
    /** {@code log(1 + exp(a))}. */
    SOFTPLUS,
    /** The error function. */
    ERF
  }

  /** Functions of two values. */
  enum BinaryOp {
    ADD,
    SUB,
    MUL,
    DIV,
    /** NaN if either is NaN. */
    MIN,
    /** NaN if either is NaN. */
    MAX
  }

  /** Comparisons. */
  enum Relation {
    LT,
    LE,
    GT,
    GE,
    EQ,
    NE
  }

  /**
   * The precision an expression over tensors of these types is computed in: {@link DType#F64} if an output holds
   * doubles or 32-bit integers (which a float cannot count beyond 2²⁴) or an input holds doubles, else {@link
   * DType#F32}.
   */
  static DType precision(List<DType> inputs, List<DType> outputs) {
    boolean wide = inputs.contains(DType.F64) || outputs.contains(DType.F64) || outputs.contains(DType.I32);
    return wide ? DType.F64 : DType.F32;
  }

  /** The number of nodes, counted as a tree. */
  default int treeSize() {
    return switch (this) {
      case Input _, Constant _, Index _, Uniform _, Bernoulli _ -> 1;
      case Unary u -> 1 + u.a.treeSize();
      case Binary b -> 1 + b.a.treeSize() + b.b.treeSize();
      case Select s -> 1 + s.left.treeSize() + s.right.treeSize() + s.ifTrue.treeSize() + s.ifFalse.treeSize();
    };
  }

  /** One more than the largest input index that is read, including the step of random streams; 0 if there is none. */
  default int inputCount() {
    return switch (this) {
      case Input i -> i.index + 1;
      case Constant _, Index _ -> 0;
      case Uniform u -> u.stream.step() + 1;
      case Bernoulli b -> b.stream.step() + 1;
      case Unary u -> u.a.inputCount();
      case Binary b -> Math.max(b.a.inputCount(), b.b.inputCount());
      case Select s ->
          Math.max(
              Math.max(s.left.inputCount(), s.right.inputCount()),
              Math.max(s.ifTrue.inputCount(), s.ifFalse.inputCount()));
    };
  }
}
