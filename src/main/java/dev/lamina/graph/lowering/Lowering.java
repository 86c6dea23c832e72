package dev.lamina.graph.lowering;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.BinaryOp;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Expr.UnaryOp;
import dev.lamina.graph.lowering.Code.Slot;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Turns expressions into straight-line 32-bit {@link Code}: what a CPU compiles to bytecode and a GPU prints as source
 * is the same list of instructions, so their results differ at most where the hardware does.
 */
public final class Lowering {
  private final CodeBuilder code = new CodeBuilder();
  private final Transcendentals functions;
  private final Map<Expr, Integer> lowered = new HashMap<>();

  private Lowering(Function<CodeBuilder, Transcendentals> functions) {
    this.functions = functions.apply(code);
  }

  /** The code of {@code expressions}, sharing what they have in common. */
  public static Code lower(List<Expr> expressions) {
    return lower(expressions, Transcendentals::new);
  }

  /** The same for results that are going to be rounded to 16 bits, which only a GPU can do. */
  public static Code lowerFor16Bits(List<Expr> expressions) {
    return lower(expressions, CoarseTranscendentals::new);
  }

  private static Code lower(List<Expr> expressions, Function<CodeBuilder, Transcendentals> functions) {
    Lowering lowering = new Lowering(functions);
    List<Integer> outputs = new ArrayList<>();
    for (Expr expression : expressions) {
      outputs.add(lowering.value(expression));
    }
    return lowering.code.build(outputs);
  }

  private int value(Expr expression) {
    Integer known = lowered.get(expression);
    if (known != null) {
      return known;
    }
    int value =
        switch (expression) {
          case Expr.Input(int index) -> code.slot(new Slot.Input(index));
          case Expr.Constant(double constant) -> code.constant((float) constant);
          case Expr.Unary(UnaryOp op, Expr a) -> unary(op, value(a));
          case Expr.Binary(BinaryOp op, Expr a, Expr b) -> code.op(opcode(op), value(a), value(b));
          case Expr.Select(Relation relation, Expr left, Expr right, Expr ifTrue, Expr ifFalse) ->
              code.select(code.op(opcode(relation), value(left), value(right)), value(ifTrue), value(ifFalse));
          case Expr.Index(int axis) -> code.slot(new Slot.Coordinate(axis));
          case Expr.Uniform uniform -> uniform(uniform);
          case Expr.Bernoulli bernoulli -> bernoulli(bernoulli);
        };
    lowered.put(expression, value);
    return value;
  }

  private int unary(UnaryOp op, int a) {
    return switch (op) {
      case NEG -> code.op(Opcode.NEG, a);
      case ABS -> code.op(Opcode.ABS, a);
      case SIGN -> sign(a);
      case SQRT -> code.op(Opcode.SQRT, a);
      case EXP -> functions.exp(a);
      case EXPM1 -> functions.expm1(a);
      case LOG -> functions.log(a);
      case LOG1P -> functions.log1p(a);
      case TANH -> functions.tanh(a);
      case SIGMOID -> functions.sigmoid(a);
      case SOFTPLUS -> functions.softplus(a);
      case ERF -> functions.erf(a);
    };
  }

  private int sign(int a) {
    int zero = code.constant(0f);
    int notPositive = code.select(code.op(Opcode.LT, a, zero), code.constant(-1f), code.add(a, zero));
    return code.select(code.op(Opcode.GT, a, zero), code.constant(1f), notPositive);
  }

  /** The upper 24 bits times 2⁻²⁴: exact. */
  private int uniform(Expr.Uniform uniform) {
    int bits = code.shift(Opcode.SHIFT_RIGHT_UNSIGNED, code.slot(new Slot.Word(uniform.stream())), 8);
    return code.mul(code.op(Opcode.FROM_INT, bits), code.constant(0x1p-24f));
  }

  private int bernoulli(Expr.Bernoulli bernoulli) {
    int one = code.constant(1f);
    if (bernoulli.threshold() >= 1L << 32) {
      return one;
    }
    int word = code.slot(new Slot.Word(bernoulli.stream()));
    return code.select(code.op(Opcode.BELOW, word, code.constant((int) bernoulli.threshold())), one, code.constant(0f));
  }

  private static Opcode opcode(BinaryOp op) {
    return switch (op) {
      case ADD -> Opcode.ADD;
      case SUB -> Opcode.SUB;
      case MUL -> Opcode.MUL;
      case DIV -> Opcode.DIV;
      case MIN -> Opcode.MIN;
      case MAX -> Opcode.MAX;
    };
  }

  private static Opcode opcode(Relation relation) {
    return switch (relation) {
      case LT -> Opcode.LT;
      case LE -> Opcode.LE;
      case GT -> Opcode.GT;
      case GE -> Opcode.GE;
      case EQ -> Opcode.EQ;
      case NE -> Opcode.NE;
    };
  }
}
