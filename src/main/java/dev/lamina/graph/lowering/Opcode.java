package dev.lamina.graph.lowering;

/**
 * The small vocabulary that expressions are lowered to: IEEE 754 binary32 arithmetic, 32-bit integer arithmetic and
 * comparisons. Every one of them but {@link #EXP2}, {@link #LOG2} and {@link #RECIPROCAL} exists, with the same bits as
 * result, as a Java operator or method, a Vector API operation and a CUDA operator or intrinsic. A printer must not
 * contract {@link #MUL} and {@link #ADD} into one rounding.
 */
public enum Opcode {
  /** The element's value of slot {@code immediate}, a float. */
  SLOT(Kind.FLOAT, 0),
  /** The element's random word in slot {@code immediate}, an int. */
  WORD(Kind.INT, 0),
  /** The float whose bits are {@code immediate}. */
  FLOAT(Kind.FLOAT, 0),
  /** The int {@code immediate}. */
  INT(Kind.INT, 0),

  ADD(Kind.FLOAT, 2),
  SUB(Kind.FLOAT, 2),
  MUL(Kind.FLOAT, 2),
  DIV(Kind.FLOAT, 2),
  /** {@code a·b + c}, rounded once. */
  FMA(Kind.FLOAT, 3),
  /** NaN if either is NaN; −0 is less than +0. */
  MIN(Kind.FLOAT, 2),
  /** NaN if either is NaN; −0 is less than +0. */
  MAX(Kind.FLOAT, 2),
  SQRT(Kind.FLOAT, 1),
  /** 2 to {@code a} but for 2⁻²² of it; only in what {@link Lowering#lowerFor16Bits} makes. */
  EXP2(Kind.FLOAT, 1),
  /** The logarithm to the base 2 but for 2⁻²², or that much of it; only there. */
  LOG2(Kind.FLOAT, 1),
  /** {@code 1/a} but for 2⁻²² of it; only there. */
  RECIPROCAL(Kind.FLOAT, 1),
  NEG(Kind.FLOAT, 1),
  ABS(Kind.FLOAT, 1),
  /** The float with the bits of int {@code a}. */
  FROM_BITS(Kind.FLOAT, 1),
  /** Int {@code a}, signed, as the nearest float. */
  FROM_INT(Kind.FLOAT, 1),
  /** {@code a ? b : c}, {@code a} a comparison, {@code b} and {@code c} floats. */
  SELECT(Kind.FLOAT, 3),

  /** The bits of float {@code a}. */
  TO_BITS(Kind.INT, 1),
  INT_ADD(Kind.INT, 2),
  INT_SUB(Kind.INT, 2),
  AND(Kind.INT, 2),
  OR(Kind.INT, 2),
  /** {@code a << immediate}. */
  SHIFT_LEFT(Kind.INT, 1),
  /** {@code a >> immediate}, with copies of the sign. */
  SHIFT_RIGHT(Kind.INT, 1),
  /** {@code a >>> immediate}, with zeros. */
  SHIFT_RIGHT_UNSIGNED(Kind.INT, 1),

  LT(Kind.BOOLEAN, 2),
  LE(Kind.BOOLEAN, 2),
  GT(Kind.BOOLEAN, 2),
  GE(Kind.BOOLEAN, 2),
  EQ(Kind.BOOLEAN, 2),
  NE(Kind.BOOLEAN, 2),
  /** {@code a < b}, both unsigned ints. */
  BELOW(Kind.BOOLEAN, 2);

  /** What an instruction leaves behind. */
  public enum Kind {
    FLOAT,
    INT,
    BOOLEAN
  }

  private final Kind kind;
  private final int operands;

  Opcode(Kind kind, int operands) {
    this.kind = kind;
    this.operands = operands;
  }

  /** The kind of the result. */
  public Kind kind() {
    return kind;
  }

  /** The number of operands, 0 to 3. */
  public int operands() {
    return operands;
  }
}
