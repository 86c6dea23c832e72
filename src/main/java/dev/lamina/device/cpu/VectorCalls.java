package dev.lamina.device.cpu;

import static java.lang.constant.ConstantDescs.CD_float;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;

/**
 * Calls of the Vector API in generated code, for vectors of {@link Lanes}. They go to its own methods, which C2 inlines
 * in any case: of others it does not inline more than 8,000 bytes a method ({@code DesiredMethodLimit}).
 */
final class VectorCalls {
  static final ClassDesc VECTOR = ClassDesc.of("jdk.incubator.vector.Vector");
  static final ClassDesc FLOATS = ClassDesc.of("jdk.incubator.vector.FloatVector");
  static final ClassDesc INTS = ClassDesc.of("jdk.incubator.vector.IntVector");
  static final ClassDesc SPECIES = ClassDesc.of("jdk.incubator.vector.VectorSpecies");
  static final ClassDesc SEGMENT = ClassDesc.of("java.lang.foreign.MemorySegment");
  static final ClassDesc ORDER = ClassDesc.of("java.nio.ByteOrder");
  static final ClassDesc LANES = ClassDesc.of(Lanes.class.getName());
  static final ClassDesc MEMORY = ClassDesc.of(Memory.class.getName());

  private static final MethodTypeDesc BINARY = MethodTypeDesc.of(FLOATS, VECTOR);

  private VectorCalls() {}

  /** Pushes what lies at an address. */
  static void load(CodeBuilder code, Runnable pushAddress) {
    code.getstatic(LANES, "FLOATS", SPECIES).getstatic(MEMORY, "ALL", SEGMENT);
    pushAddress.run();
    code.getstatic(ORDER, "LITTLE_ENDIAN", ORDER);
    code.invokestatic(FLOATS, "fromMemorySegment", MethodTypeDesc.of(FLOATS, SPECIES, SEGMENT, CD_long, ORDER));
  }

  /** Pops a vector. */
  static void store(CodeBuilder code, Runnable pushAddress) {
    code.getstatic(MEMORY, "ALL", SEGMENT);
    pushAddress.run();
    code.getstatic(ORDER, "LITTLE_ENDIAN", ORDER);
    code.invokevirtual(FLOATS, "intoMemorySegment", MethodTypeDesc.of(CD_void, SEGMENT, CD_long, ORDER));
  }

  /** Pushes a number in each lane. */
  static void constant(CodeBuilder code, float value) {
    code.getstatic(LANES, "FLOATS", SPECIES).loadConstant(value);
    code.invokestatic(FLOATS, "broadcast", MethodTypeDesc.of(FLOATS, SPECIES, CD_float));
  }

  /** Pops two vectors and pushes what {@code add}, {@code sub} or {@code mul} makes of them. */
  static void binary(CodeBuilder code, String name) {
    code.invokevirtual(FLOATS, name, BINARY);
  }

  /** Pops two factors and a term, and pushes their product plus it. */
  static void fma(CodeBuilder code) {
    code.invokevirtual(FLOATS, "fma", MethodTypeDesc.of(FLOATS, VECTOR, VECTOR));
  }
}
