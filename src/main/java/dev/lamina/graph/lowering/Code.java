package dev.lamina.graph.lowering;

import dev.lamina.graph.RandomStream;
import dev.lamina.tensor.DType;
import java.util.List;

/**
 * Straight-line code that computes one or more expressions for one element. Value i is what instruction i leaves;
 * operands come before their users, and no two instructions are equal, so common subexpressions are computed once.
 *
 * <p>What differs from element to element enters through slots. The instructions name slots by number only, so two
 * expressions that differ in the inputs or random streams they read have equal instructions, and can share a compiled
 * form.
 *
 * @param instructions in an order in which they can run
 * @param outputs the value of each expression, always a float
 * @param slots what is bound to each slot
 */
public record Code(List<Instruction> instructions, List<Integer> outputs, List<Slot> slots) {

  public Code {
    instructions = List.copyOf(instructions);
    outputs = List.copyOf(outputs);
    slots = List.copyOf(slots);
  }

  /**
   * One operation.
   *
   * @param op what is done
   * @param a number of the first operand's value; −1 where there is none, and so on
   * @param b of the second
   * @param c of the third
   * @param immediate a slot number, bits of a constant or shift distance; else 0
   */
  public record Instruction(Opcode op, int a, int b, int c, long immediate) {}

  /** Where the values of a slot come from. */
  public sealed interface Slot {
    /** Input {@code index}, converted to float. */
    record Input(int index) implements Slot {}

    /** The element's coordinate along {@code axis}, as a float. */
    record Coordinate(int axis) implements Slot {}

    /** The element's word of {@code stream}, an int. */
    record Word(RandomStream stream) implements Slot {}

    /** The element type of its values before they are converted, given those of the inputs. */
    default DType dtype(List<DType> inputs) {
      return switch (this) {
        case Input(int index) -> inputs.get(index);
        case Coordinate _ -> DType.F32;
        case Word _ -> DType.I32;
      };
    }
  }

  /** Which values are the same for every element, given which slots are. */
  public boolean[] uniform(List<Boolean> uniformSlots) {
    boolean[] uniform = new boolean[instructions.size()];
    for (int i = 0; i < uniform.length; i++) {
      Instruction in = instructions.get(i);
      uniform[i] =
          switch (in.op) {
            case SLOT, WORD -> uniformSlots.get((int) in.immediate);
            case FLOAT, INT -> true;
            default -> uniform[in.a] && (in.b < 0 || uniform[in.b]) && (in.c < 0 || uniform[in.c]);
          };
    }
    return uniform;
  }
}
