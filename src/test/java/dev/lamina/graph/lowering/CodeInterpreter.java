package dev.lamina.graph.lowering;

import dev.lamina.graph.lowering.Code.Instruction;
import java.util.List;

/** Runs {@link Code} one instruction after the other: what compiled code must agree with to the bit. */
public final class CodeInterpreter {
  private final Code code;
  private final Instruction[] instructions;
  private final float[] floats;
  private final int[] ints;
  private final boolean[] booleans;

  /** Relative errors of the coarse instructions. */
  private final double exp2Error;

  private final double otherError;

  public CodeInterpreter(Code code) {
    this(code, 0, 0);
  }

  /** Code lowered for 16 bits, with these relative errors of {@link Opcode#EXP2}, and of what else is coarse. */
  public CodeInterpreter(Code code, double exp2Error, double otherError) {
    this.exp2Error = exp2Error;
    this.otherError = otherError;
    this.code = code;
    this.instructions = code.instructions().toArray(Instruction[]::new);
    this.floats = new float[instructions.length];
    this.ints = new int[instructions.length];
    this.booleans = new boolean[instructions.length];
  }

  /** The first output, given the value of slot i in {@code slots[i]}; of an integer slot, as raw bits. */
  public float run(float... slots) {
    return runAll(slots).getFirst();
  }

  /** All outputs. */
  public List<Float> runAll(float... slots) {
    for (int i = 0; i < instructions.length; i++) {
      step(i, slots);
    }
    return code.outputs().stream().map(value -> floats[value]).toList();
  }

  /** The first output of code with one slot, without making objects. */
  public float runOne(float slot) {
    for (int i = 0; i < instructions.length; i++) {
      if (instructions[i].op() == Opcode.SLOT) {
        floats[i] = slot;
      } else {
        step(i, null);
      }
    }
    return floats[code.outputs().get(0)];
  }

  private void step(int i, float[] slots) {
    Instruction in = instructions[i];
    int a = in.a();
    int b = in.b();
    int c = in.c();
    int immediate = (int) in.immediate();
    switch (in.op()) {
      case SLOT -> floats[i] = slots[immediate];
      case WORD -> ints[i] = Float.floatToRawIntBits(slots[immediate]);
      case FLOAT -> floats[i] = Float.intBitsToFloat(immediate);
      case INT -> ints[i] = immediate;
      case ADD -> floats[i] = floats[a] + floats[b];
      case SUB -> floats[i] = floats[a] - floats[b];
      case MUL -> floats[i] = floats[a] * floats[b];
      case DIV -> floats[i] = floats[a] / floats[b];
      case FMA -> floats[i] = Math.fma(floats[a], floats[b], floats[c]);
      case MIN -> floats[i] = Math.min(floats[a], floats[b]);
      case MAX -> floats[i] = Math.max(floats[a], floats[b]);
      case SQRT -> floats[i] = (float) Math.sqrt(floats[a]);
      case EXP2 -> floats[i] = flushed(Math.pow(2, floats[a]) * (1 + exp2Error));
      case LOG2 -> {
        double logarithm = Math.log(floats[a]) / Math.log(2);
        floats[i] = flushed(logarithm + otherError * Math.max(1, Math.abs(logarithm)));
      }
      case RECIPROCAL -> floats[i] = flushed(1.0 / floats[a] * (1 + otherError));
      case NEG -> floats[i] = -floats[a];
      case ABS -> floats[i] = Math.abs(floats[a]);
      case FROM_BITS -> floats[i] = Float.intBitsToFloat(ints[a]);
      case FROM_INT -> floats[i] = ints[a];
      case SELECT -> floats[i] = booleans[a] ? floats[b] : floats[c];
      case TO_BITS -> ints[i] = Float.floatToRawIntBits(floats[a]);
      case INT_ADD -> ints[i] = ints[a] + ints[b];
      case INT_SUB -> ints[i] = ints[a] - ints[b];
      case AND -> ints[i] = ints[a] & ints[b];
      case OR -> ints[i] = ints[a] | ints[b];
      case SHIFT_LEFT -> ints[i] = ints[a] << immediate;
      case SHIFT_RIGHT -> ints[i] = ints[a] >> immediate;
      case SHIFT_RIGHT_UNSIGNED -> ints[i] = ints[a] >>> immediate;
      case LT -> booleans[i] = floats[a] < floats[b];
      case LE -> booleans[i] = floats[a] <= floats[b];
      case GT -> booleans[i] = floats[a] > floats[b];
      case GE -> booleans[i] = floats[a] >= floats[b];
      case EQ -> booleans[i] = floats[a] == floats[b];
      case NE -> booleans[i] = floats[a] != floats[b];
      case BELOW -> booleans[i] = Integer.compareUnsigned(ints[a], ints[b]) < 0;
    }
  }

  private static float flushed(double value) {
    return Math.abs(value) < Float.MIN_NORMAL ? (float) Math.copySign(0, value) : (float) value;
  }
}
