package dev.lamina.device.cpu;

import dev.lamina.graph.lowering.Code.Instruction;
import dev.lamina.graph.lowering.Opcode;
import dev.lamina.tensor.DType;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;
import java.util.function.IntConsumer;

/**
 * How one instruction looks in bytecode: for one element, or for a vector of them. What an instruction needs on the
 * operand stack it asks for, in the order it needs, through the {@code push} arguments.
 */
interface Dialect {

  /** Elements that one pass of the loop computes. */
  int lanes();

  /** The kind of local variable that holds a value of {@code kind}. */
  TypeKind type(Opcode.Kind kind);

  /** Pushes a constant. */
  void constant(CodeBuilder code, Instruction constant);

  /**
   * Pushes what lies at an address: {@code uniform}, one value for all lanes; {@code raw}, an int as it is and not as a
   * float.
   */
  void load(CodeBuilder code, DType dtype, boolean uniform, boolean raw, Runnable pushAddress);

  /** Pushes the result of an operation; {@code push} pushes the value of that number. */
  void operate(CodeBuilder code, Instruction in, IntConsumer push);

  /** Stores a value at an address. */
  void store(CodeBuilder code, DType dtype, Runnable pushAddress, Runnable pushValue);

  /** Adds a value to a sum of {@link CompensatedSums#addEach} at an address. */
  void accumulate(CodeBuilder code, Runnable pushAddress, Runnable pushValue);
}
