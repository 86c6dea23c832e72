package dev.lamina.device.cpu;

import dev.lamina.graph.lowering.Code;
import dev.lamina.tensor.DType;
import java.util.List;

/**
 * What a generated loop depends on. No extents, and slots only by number: one class serves every shape, and every
 * dropout layer.
 *
 * @param instructions of the code
 * @param results the value of each output
 * @param slots how the values of each slot lie in memory
 * @param outputs element type of each output: F32 or U8
 * @param summed whether the first output is not stored but added up column by column: its address is that of {@link
 *     CompensatedSums#addEach}'s sums
 */
record BodyKey(
    List<Code.Instruction> instructions,
    List<Integer> results,
    List<SlotForm> slots,
    List<DType> outputs,
    boolean summed) {

  /**
   * How a slot's values lie in memory.
   *
   * @param dtype F32, I32 or U8; random words are I32
   * @param uniform whether a row has one value, else it is dense
   */
  record SlotForm(DType dtype, boolean uniform) {}

  static BodyKey of(Code code, List<SlotForm> slots, List<DType> outputs, boolean summed) {
    return new BodyKey(code.instructions(), code.outputs(), List.copyOf(slots), List.copyOf(outputs), summed);
  }

  /** Which values are the same along a row. */
  boolean[] uniform() {
    return new Code(instructions, results, List.of()).uniform(slots.stream().map(SlotForm::uniform).toList());
  }

  /** Whether the same element type is read or written as bytes anywhere. */
  boolean hasBytes() {
    return outputs.contains(DType.U8) || slots.stream().anyMatch(slot -> slot.dtype == DType.U8);
  }
}
