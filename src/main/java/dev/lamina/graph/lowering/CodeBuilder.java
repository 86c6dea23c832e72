package dev.lamina.graph.lowering;

import dev.lamina.graph.lowering.Code.Instruction;
import dev.lamina.graph.lowering.Code.Slot;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Collects instructions, each distinct one once. Methods return the number of the value they make. */
final class CodeBuilder {
  private static final int SIGN_BIT = 0x80000000;

  private final List<Instruction> instructions = new ArrayList<>();
  private final Map<Instruction, Integer> known = new HashMap<>();
  private final List<Slot> slots = new ArrayList<>();

  int slot(Slot slot) {
    int number = slots.indexOf(slot);
    if (number < 0) {
      number = slots.size();
      slots.add(slot);
    }
    return emit(slot instanceof Slot.Word ? Opcode.WORD : Opcode.SLOT, -1, -1, -1, number);
  }

  int constant(float value) {
    return emit(Opcode.FLOAT, -1, -1, -1, Float.floatToIntBits(value));
  }

  int constant(int value) {
    return emit(Opcode.INT, -1, -1, -1, value);
  }

  int op(Opcode op, int a) {
    return emit(op, a, -1, -1, 0);
  }

  int op(Opcode op, int a, int b) {
    return emit(op, a, b, -1, 0);
  }

  int shift(Opcode op, int a, int distance) {
    return emit(op, a, -1, -1, distance);
  }

  int add(int a, int b) {
    return op(Opcode.ADD, a, b);
  }

  int sub(int a, int b) {
    return op(Opcode.SUB, a, b);
  }

  int mul(int a, int b) {
    return op(Opcode.MUL, a, b);
  }

  int div(int a, int b) {
    return op(Opcode.DIV, a, b);
  }

  int fma(int a, int b, int c) {
    return emit(Opcode.FMA, a, b, c, 0);
  }

  int select(int condition, int ifTrue, int ifFalse) {
    return ifTrue == ifFalse ? ifTrue : emit(Opcode.SELECT, condition, ifTrue, ifFalse, 0);
  }

  /** {@code coefficients[0] + coefficients[1]·x + …}, by Horner's rule. */
  int polynomial(int x, float... coefficients) {
    int sum = constant(coefficients[coefficients.length - 1]);
    for (int k = coefficients.length - 2; k >= 0; k--) {
      sum = fma(sum, x, constant(coefficients[k]));
    }
    return sum;
  }

  /** The magnitude of {@code magnitude}, which is not negative, with the sign of {@code sign}. */
  int copySign(int magnitude, int sign) {
    int signBit = op(Opcode.AND, op(Opcode.TO_BITS, sign), constant(SIGN_BIT));
    return op(Opcode.FROM_BITS, op(Opcode.OR, op(Opcode.TO_BITS, magnitude), signBit));
  }

  private int emit(Opcode op, int a, int b, int c, long immediate) {
    Instruction instruction = new Instruction(op, a, b, c, immediate);
    Integer number = known.get(instruction);
    if (number == null) {
      number = instructions.size();
      instructions.add(instruction);
      known.put(instruction, number);
    }
    return number;
  }

  Code build(List<Integer> outputs) {
    return new Code(instructions, outputs, slots);
  }
}
