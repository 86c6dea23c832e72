package dev.lamina.device.cuda;

import dev.lamina.graph.Expr;
import dev.lamina.graph.RandomStream;
import dev.lamina.graph.lowering.Code;
import dev.lamina.graph.lowering.Code.Instruction;
import dev.lamina.graph.lowering.Code.Slot;
import dev.lamina.graph.lowering.Lowering;
import dev.lamina.graph.lowering.Opcode;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import java.util.List;
import java.util.function.IntFunction;

/**
 * Expressions in 32 bits, coarser functions where results get 16: one statement for each instruction of their {@link
 * Code}.
 */
final class FloatBody implements LaneBody {
  private final Code code;
  private final Shape shape;

  FloatBody(List<Expr> exprs, List<DType> outputs, Shape shape) {
    boolean short16 = outputs.stream().allMatch(dtype -> dtype == DType.BF16 || dtype == DType.F16);
    this.code = short16 ? Lowering.lowerFor16Bits(exprs) : Lowering.lower(exprs);
    this.shape = shape;
  }

  @Override
  public List<Integer> inputs() {
    return code.slots().stream()
        .filter(Slot.Input.class::isInstance)
        .map(slot -> ((Slot.Input) slot).index())
        .sorted()
        .toList();
  }

  @Override
  public List<RandomStream> streams() {
    return code.slots().stream().filter(Slot.Word.class::isInstance).map(slot -> ((Slot.Word) slot).stream()).toList();
  }

  @Override
  public String statements(IntFunction<String> input) {
    StringBuilder text = new StringBuilder();
    String[] names = new String[code.instructions().size()];
    for (int i = 0; i < names.length; i++) {
      Instruction in = code.instructions().get(i);
      switch (in.op()) {
        case FLOAT -> names[i] = literal(Float.intBitsToFloat((int) in.immediate()));
        case INT -> names[i] = "0x" + Integer.toHexString((int) in.immediate()) + "u";
        case SLOT, WORD -> names[i] = slot(code.slots().get((int) in.immediate()), input);
        default -> {
          names[i] = "v" + i;
          text.append("const ").append(type(in.op().kind())).append(' ').append(names[i]).append(" = ");
          text.append(operation(in, names)).append(";\n");
        }
      }
    }
    for (int o = 0; o < code.outputs().size(); o++) {
      text.append("y%d[lane] = %s;\n".formatted(o, names[code.outputs().get(o)]));
    }
    return text.toString();
  }

  /** A function {@code name} of one float: what {@code expr} makes of input 0. */
  static String function(String name, Expr expr) {
    String statements = new FloatBody(List.of(expr), List.of(DType.F32), Shape.scalar()).statements(_ -> "x");
    return "DEVICE float %s(float x) {\nfloat y0[1];\nconst int lane = 0;\n%sreturn y0[0];\n}\n"
        .formatted(name, statements);
  }

  private String slot(Slot slot, IntFunction<String> input) {
    return switch (slot) {
      case Slot.Input(int index) -> input.apply(index);
      case Slot.Coordinate(int axis) -> "(float) " + LaneBody.coordinate(shape, axis);
      case Slot.Word(RandomStream stream) -> "w" + streams().indexOf(stream) + "[lane]";
    };
  }

  private static String type(Opcode.Kind kind) {
    return switch (kind) {
      case FLOAT -> "float";
      case INT -> "unsigned";
      case BOOLEAN -> "bool";
    };
  }

  /** The shortest decimal that stands for exactly this float. */
  private static String literal(float value) {
    if (Float.isNaN(value)) {
      return "float_of(0x7fc00000u)";
    }
    if (Float.isInfinite(value)) {
      return value > 0 ? "float_of(0x7f800000u)" : "float_of(0xff800000u)";
    }
    boolean negative = Float.floatToRawIntBits(value) < 0;
    return negative ? "(" + value + "f)" : value + "f";
  }

  private static String operation(Instruction in, String[] names) {
    String a = in.a() < 0 ? "" : names[in.a()];
    String b = in.b() < 0 ? "" : names[in.b()];
    String c = in.c() < 0 ? "" : names[in.c()];
    return switch (in.op()) {
      case SLOT, WORD, FLOAT, INT -> throw new IllegalArgumentException(in.op() + " takes no operands");
      case ADD, INT_ADD -> a + " + " + b;
      case SUB, INT_SUB -> a + " - " + b;
      case MUL -> a + " * " + b;
      case DIV -> a + " / " + b;
      case FMA -> "fused_multiply_add(" + a + ", " + b + ", " + c + ")";
      case MIN -> "smaller(" + a + ", " + b + ")";
      case MAX -> "larger(" + a + ", " + b + ")";
      case SQRT -> "square_root(" + a + ")";
      case EXP2 -> "coarse_exp2(" + a + ")";
      case LOG2 -> "coarse_log2(" + a + ")";
      case RECIPROCAL -> "coarse_reciprocal(" + a + ")";
      case NEG -> "-" + a;
      case ABS -> "magnitude(" + a + ")";
      case FROM_BITS -> "float_of(" + a + ")";
      case FROM_INT -> "(float) (int) " + a;
      case SELECT -> a + " ? " + b + " : " + c;
      case TO_BITS -> "bits_of(" + a + ")";
      case AND -> a + " & " + b;
      case OR -> a + " | " + b;
      case SHIFT_LEFT -> a + " << " + in.immediate();
      case SHIFT_RIGHT -> "(unsigned) ((int) " + a + " >> " + in.immediate() + ")";
      case SHIFT_RIGHT_UNSIGNED -> a + " >> " + in.immediate();
      case LT, BELOW -> a + " < " + b;
      case LE -> a + " <= " + b;
      case GT -> a + " > " + b;
      case GE -> a + " >= " + b;
      case EQ -> a + " == " + b;
      case NE -> a + " != " + b;
    };
  }
}
