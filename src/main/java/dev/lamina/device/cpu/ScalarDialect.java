package dev.lamina.device.cpu;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_double;
import static java.lang.constant.ConstantDescs.CD_float;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import dev.lamina.graph.lowering.Code.Instruction;
import dev.lamina.graph.lowering.Opcode;
import dev.lamina.tensor.DType;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.function.IntConsumer;

/** One element at a time: the ends of rows, and everything where there is no Vector API. */
final class ScalarDialect implements Dialect {
  private static final ClassDesc ACCESS = ClassDesc.of(ScalarAccess.class.getName());
  private static final ClassDesc SUMS = ClassDesc.of(CompensatedSums.class.getName());
  private static final ClassDesc MATH = ClassDesc.of("java.lang.Math");
  private static final ClassDesc FLOAT = ClassDesc.of("java.lang.Float");
  private static final ClassDesc INTEGER = ClassDesc.of("java.lang.Integer");
  private static final MethodTypeDesc TWO_FLOATS = MethodTypeDesc.of(CD_float, CD_float, CD_float);

  @Override
  public int lanes() {
    return 1;
  }

  @Override
  public TypeKind type(Opcode.Kind kind) {
    return kind == Opcode.Kind.FLOAT ? TypeKind.FLOAT : TypeKind.INT;
  }

  @Override
  public void constant(CodeBuilder code, Instruction constant) {
    int bits = (int) constant.immediate();
    if (constant.op() == Opcode.FLOAT) {
      code.loadConstant(Float.intBitsToFloat(bits));
    } else {
      code.loadConstant(bits);
    }
  }

  @Override
  public void load(CodeBuilder code, DType dtype, boolean uniform, boolean raw, Runnable pushAddress) {
    pushAddress.run();
    if (dtype == DType.F32) {
      code.invokestatic(ACCESS, "getFloat", MethodTypeDesc.of(CD_float, CD_long));
      return;
    }
    code.invokestatic(ACCESS, dtype == DType.U8 ? "getUnsignedByte" : "getInt", MethodTypeDesc.of(CD_int, CD_long));
    if (!raw) {
      code.i2f();
    }
  }

  @Override
  public void operate(CodeBuilder code, Instruction in, IntConsumer push) {
    push.accept(in.a());
    if (in.op().operands() > 1) {
      push.accept(in.b());
    }
    if (in.op().operands() > 2) {
      push.accept(in.c());
    }
    int immediate = (int) in.immediate();
    switch (in.op()) {
      case SLOT, WORD, FLOAT, INT -> throw new IllegalArgumentException(in.op() + " takes no operands");
      case ADD -> code.fadd();
      case SUB -> code.fsub();
      case MUL -> code.fmul();
      case DIV -> code.fdiv();
      case FMA -> code.invokestatic(MATH, "fma", MethodTypeDesc.of(CD_float, CD_float, CD_float, CD_float));
      case MIN -> code.invokestatic(MATH, "min", TWO_FLOATS);
      case MAX -> code.invokestatic(MATH, "max", TWO_FLOATS);
      // The double root of a float, rounded to float, is the float root: 53 bits are more than twice 24 and two.
      case SQRT -> code.f2d().invokestatic(MATH, "sqrt", MethodTypeDesc.of(CD_double, CD_double)).d2f();
      case EXP2, LOG2, RECIPROCAL -> throw new IllegalArgumentException(in.op() + " is a GPU's");
      case NEG -> code.fneg();
      case ABS -> code.invokestatic(MATH, "abs", MethodTypeDesc.of(CD_float, CD_float));
      case FROM_BITS -> code.invokestatic(FLOAT, "intBitsToFloat", MethodTypeDesc.of(CD_float, CD_int));
      case TO_BITS -> code.invokestatic(FLOAT, "floatToRawIntBits", MethodTypeDesc.of(CD_int, CD_float));
      case FROM_INT -> code.i2f();
      case SELECT -> code.invokestatic(ACCESS, "select", MethodTypeDesc.of(CD_float, CD_boolean, CD_float, CD_float));
      case INT_ADD -> code.iadd();
      case INT_SUB -> code.isub();
      case AND -> code.iand();
      case OR -> code.ior();
      case SHIFT_LEFT -> code.loadConstant(immediate).ishl();
      case SHIFT_RIGHT -> code.loadConstant(immediate).ishr();
      case SHIFT_RIGHT_UNSIGNED -> code.loadConstant(immediate).iushr();
      // A comparison with NaN must not hold: fcmpg answers 1 for it, fcmpl −1.
      case LT -> holds(code.fcmpg(), java.lang.classfile.Opcode.IFLT);
      case LE -> holds(code.fcmpg(), java.lang.classfile.Opcode.IFLE);
      case GT -> holds(code.fcmpl(), java.lang.classfile.Opcode.IFGT);
      case GE -> holds(code.fcmpl(), java.lang.classfile.Opcode.IFGE);
      case EQ -> holds(code.fcmpl(), java.lang.classfile.Opcode.IFEQ);
      case NE -> holds(code.fcmpl(), java.lang.classfile.Opcode.IFNE);
      case BELOW -> {
        code.invokestatic(INTEGER, "compareUnsigned", MethodTypeDesc.of(CD_int, CD_int, CD_int));
        holds(code, java.lang.classfile.Opcode.IFLT);
      }
    }
  }

  private static void holds(CodeBuilder code, java.lang.classfile.Opcode branch) {
    code.ifThenElse(branch, CodeBuilder::iconst_1, CodeBuilder::iconst_0);
  }

  @Override
  public void store(CodeBuilder code, DType dtype, Runnable pushAddress, Runnable pushValue) {
    pushAddress.run();
    pushValue.run();
    String name = dtype == DType.U8 ? "setByte" : "setFloat";
    code.invokestatic(ACCESS, name, MethodTypeDesc.of(CD_void, CD_long, CD_float));
  }

  @Override
  public void accumulate(CodeBuilder code, Runnable pushAddress, Runnable pushValue) {
    pushValue.run();
    pushAddress.run();
    code.invokestatic(SUMS, "addOne", MethodTypeDesc.of(CD_void, CD_float, CD_long));
  }
}
