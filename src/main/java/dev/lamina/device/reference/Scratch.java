package dev.lamina.device.reference;

import java.util.ArrayList;
import java.util.List;

/**
 * Arrays of doubles that all steps of a device share, one behind the other in time: each operand is spread into one
 * before the arithmetic. They grow when a step is bound, never when it runs.
 */
final class Scratch {
  private final List<double[]> slots = new ArrayList<>();

  /** Makes sure that slot {@code slot} holds {@code size} elements. */
  void reserve(int slot, int size) {
    while (slots.size() <= slot) {
      slots.add(new double[0]);
    }
    if (slots.get(slot).length < size) {
      slots.set(slot, new double[size]);
    }
  }

  /** The array of slot {@code slot}, at least as long as was reserved; holds what the last step left. */
  double[] get(int slot) {
    return slots.get(slot);
  }
}
