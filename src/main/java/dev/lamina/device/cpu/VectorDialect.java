package dev.lamina.device.cpu;

import static dev.lamina.device.cpu.VectorCalls.FLOATS;
import static dev.lamina.device.cpu.VectorCalls.INTS;
import static dev.lamina.device.cpu.VectorCalls.MEMORY;
import static dev.lamina.device.cpu.VectorCalls.ORDER;
import static dev.lamina.device.cpu.VectorCalls.SEGMENT;
import static dev.lamina.device.cpu.VectorCalls.SPECIES;
import static dev.lamina.device.cpu.VectorCalls.VECTOR;
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

/**
 * A vector of elements at a time. Names the Vector API's classes without loading them.
 *
 * <p>Only operations that C2 compiles to the instruction itself, with the same bits as the interpreter: no {@code
 * lanewise(EXP)} or the like.
 */
final class VectorDialect implements Dialect {
  private static final String PACKAGE = "jdk.incubator.vector.";
  private static final ClassDesc BYTES = ClassDesc.of(PACKAGE + "ByteVector");
  private static final ClassDesc MASK = ClassDesc.of(PACKAGE + "VectorMask");
  private static final ClassDesc OPERATORS = ClassDesc.of(PACKAGE + "VectorOperators");
  private static final ClassDesc COMPARISON = OPERATORS.nested("Comparison");
  private static final ClassDesc CONVERSION = OPERATORS.nested("Conversion");
  private static final ClassDesc BINARY = OPERATORS.nested("Binary");
  private static final ClassDesc ACCESS = ClassDesc.of(ScalarAccess.class.getName());

  /** Byte vectors have at least this many bits. */
  private static final int SMALLEST_VECTOR = 64;

  private final int bits;

  /** Vectors of {@code bits} bits: 128, 256 or 512. */
  VectorDialect(int bits) {
    this.bits = bits;
  }

  @Override
  public int lanes() {
    return bits / Float.SIZE;
  }

  /** Whether as many bytes as there are lanes make a vector. */
  boolean hasBytes() {
    return lanes() * Byte.SIZE >= SMALLEST_VECTOR;
  }

  @Override
  public TypeKind type(Opcode.Kind kind) {
    return TypeKind.REFERENCE;
  }

  @Override
  public void constant(CodeBuilder code, Instruction constant) {
    int value = (int) constant.immediate();
    if (constant.op() == Opcode.FLOAT) {
      broadcast(code, FLOATS, () -> code.loadConstant(Float.intBitsToFloat(value)));
    } else {
      broadcast(code, INTS, () -> code.loadConstant(value));
    }
  }

  private void broadcast(CodeBuilder code, ClassDesc type, Runnable pushScalar) {
    species(code, type, bits);
    pushScalar.run();
    code.invokestatic(type, "broadcast", MethodTypeDesc.of(type, SPECIES, type.equals(FLOATS) ? CD_float : CD_int));
  }

  @Override
  public void load(CodeBuilder code, DType dtype, boolean uniform, boolean raw, Runnable pushAddress) {
    ClassDesc type = dtype == DType.F32 ? FLOATS : dtype == DType.I32 ? INTS : BYTES;
    if (uniform) {
      String name = dtype == DType.F32 ? "getFloat" : dtype == DType.I32 ? "getInt" : "getUnsignedByte";
      broadcast(
          code,
          dtype == DType.F32 ? FLOATS : INTS,
          () -> {
            pushAddress.run();
            code.invokestatic(ACCESS, name, MethodTypeDesc.of(dtype == DType.F32 ? CD_float : CD_int, CD_long));
          });
    } else {
      species(code, type, dtype == DType.U8 ? lanes() * Byte.SIZE : bits);
      code.getstatic(MEMORY, "ALL", SEGMENT);
      pushAddress.run();
      code.invokestatic(ORDER, "nativeOrder", MethodTypeDesc.of(ORDER));
      code.invokestatic(type, "fromMemorySegment", MethodTypeDesc.of(type, SPECIES, SEGMENT, CD_long, ORDER));
      if (dtype == DType.U8) {
        reshape(code, "ZERO_EXTEND_B2I", INTS, bits);
      }
    }
    if (dtype != DType.F32 && !raw) {
      convert(code, "I2F", FLOATS);
    }
  }

  @Override
  public void operate(CodeBuilder code, Instruction in, IntConsumer push) {
    switch (in.op()) {
      case SLOT, WORD, FLOAT, INT -> throw new IllegalArgumentException(in.op() + " takes no operands");
      case ADD -> binary(code, FLOATS, "add", in, push);
      case SUB -> binary(code, FLOATS, "sub", in, push);
      case MUL -> binary(code, FLOATS, "mul", in, push);
      case DIV -> binary(code, FLOATS, "div", in, push);
      case MIN -> binary(code, FLOATS, "min", in, push);
      case MAX -> binary(code, FLOATS, "max", in, push);
      case INT_ADD -> binary(code, INTS, "add", in, push);
      case INT_SUB -> binary(code, INTS, "sub", in, push);
      case AND -> binary(code, INTS, "and", in, push);
      case OR -> binary(code, INTS, "or", in, push);
      case FMA -> {
        push.accept(in.a());
        push.accept(in.b());
        push.accept(in.c());
        code.invokevirtual(FLOATS, "fma", MethodTypeDesc.of(FLOATS, VECTOR, VECTOR));
      }
      case SQRT -> unary(code, "sqrt", in, push);
      case EXP2, LOG2, RECIPROCAL -> throw new IllegalArgumentException(in.op() + " is a GPU's");
      case NEG -> unary(code, "neg", in, push);
      case ABS -> unary(code, "abs", in, push);
      case FROM_BITS -> {
        push.accept(in.a());
        code.invokevirtual(INTS, "reinterpretAsFloats", MethodTypeDesc.of(FLOATS));
      }
      case TO_BITS -> {
        push.accept(in.a());
        code.invokevirtual(FLOATS, "reinterpretAsInts", MethodTypeDesc.of(INTS));
      }
      case FROM_INT -> {
        push.accept(in.a());
        convert(code, "I2F", FLOATS);
      }
      case SELECT -> {
        push.accept(in.c());
        push.accept(in.b());
        push.accept(in.a());
        code.invokevirtual(FLOATS, "blend", MethodTypeDesc.of(FLOATS, VECTOR, MASK));
      }
      case SHIFT_LEFT -> shift(code, "LSHL", in, push);
      case SHIFT_RIGHT -> shift(code, "ASHR", in, push);
      case SHIFT_RIGHT_UNSIGNED -> shift(code, "LSHR", in, push);
      case LT, LE, GT, GE, EQ, NE -> compare(code, FLOATS, in.op().name(), in, push);
      case BELOW -> {
        compare(code, INTS, "ULT", in, push);
        species(code, FLOATS, bits);
        code.invokevirtual(MASK, "cast", MethodTypeDesc.of(MASK, SPECIES));
      }
    }
  }

  private static void unary(CodeBuilder code, String name, Instruction in, IntConsumer push) {
    push.accept(in.a());
    code.invokevirtual(FLOATS, name, MethodTypeDesc.of(FLOATS));
  }

  private static void binary(CodeBuilder code, ClassDesc type, String name, Instruction in, IntConsumer push) {
    push.accept(in.a());
    push.accept(in.b());
    code.invokevirtual(type, name, MethodTypeDesc.of(type, VECTOR));
  }

  private static void shift(CodeBuilder code, String operator, Instruction in, IntConsumer push) {
    push.accept(in.a());
    code.getstatic(OPERATORS, operator, BINARY).loadConstant((int) in.immediate());
    code.invokevirtual(INTS, "lanewise", MethodTypeDesc.of(INTS, BINARY, CD_int));
  }

  private static void compare(CodeBuilder code, ClassDesc type, String operator, Instruction in, IntConsumer push) {
    push.accept(in.a());
    code.getstatic(OPERATORS, operator, COMPARISON);
    push.accept(in.b());
    code.invokevirtual(type, "compare", MethodTypeDesc.of(MASK, COMPARISON, VECTOR));
  }

  @Override
  public void store(CodeBuilder code, DType dtype, Runnable pushAddress, Runnable pushValue) {
    pushValue.run();
    ClassDesc type = FLOATS;
    if (dtype == DType.U8) {
      convert(code, "F2I", INTS);
      reshape(code, "I2B", BYTES, lanes() * Byte.SIZE);
      type = BYTES;
    }
    code.getstatic(MEMORY, "ALL", SEGMENT);
    pushAddress.run();
    code.invokestatic(ORDER, "nativeOrder", MethodTypeDesc.of(ORDER));
    code.invokevirtual(type, "intoMemorySegment", MethodTypeDesc.of(CD_void, SEGMENT, CD_long, ORDER));
  }

  @Override
  public void accumulate(CodeBuilder code, Runnable pushAddress, Runnable pushValue) {
    int address = code.allocateLocal(TypeKind.LONG);
    pushAddress.run();
    code.lstore(address);
    Runnable here = () -> code.lload(address);
    Runnable further = () -> code.lload(address).loadConstant(4L * CompensatedSums.BLOCK).ladd();
    load(code, DType.F32, false, false, here);
    Runnable sum = kept(code);
    sum.run();
    pushValue.run();
    arithmetic(code, "add");
    Runnable next = kept(code);
    next.run();
    sum.run();
    arithmetic(code, "sub");
    Runnable added = kept(code);
    store(code, DType.F32, here, next);
    load(code, DType.F32, false, false, further);
    sum.run();
    next.run();
    added.run();
    arithmetic(code, "sub");
    arithmetic(code, "sub");
    pushValue.run();
    added.run();
    arithmetic(code, "sub");
    arithmetic(code, "add");
    arithmetic(code, "add");
    store(code, DType.F32, further, kept(code));
  }

  /** Takes a vector from the stack into a local variable; what pushes it again. */
  private static Runnable kept(CodeBuilder code) {
    int local = code.allocateLocal(TypeKind.REFERENCE);
    code.astore(local);
    return () -> code.aload(local);
  }

  private static void arithmetic(CodeBuilder code, String operation) {
    code.invokevirtual(FLOATS, operation, MethodTypeDesc.of(FLOATS, VECTOR));
  }

  private static void species(CodeBuilder code, ClassDesc type, int bits) {
    code.getstatic(type, "SPECIES_" + bits, SPECIES);
  }

  /**
   * Converts the vector on the stack to one of the same width. With the species as a constant: Vector.convert looks for
   * it, and not always finds it before C2 has given up.
   */
  private void convert(CodeBuilder code, String conversion, ClassDesc to) {
    reshape(code, conversion, to, bits);
  }

  /** Converts the vector on the stack to one of as many lanes and another width. */
  private static void reshape(CodeBuilder code, String conversion, ClassDesc to, int bits) {
    code.getstatic(OPERATORS, conversion, CONVERSION);
    species(code, to, bits);
    code.iconst_0();
    code.invokevirtual(VECTOR, "convertShape", MethodTypeDesc.of(VECTOR, CONVERSION, SPECIES, CD_int)).checkcast(to);
  }
}
