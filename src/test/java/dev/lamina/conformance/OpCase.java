package dev.lamina.conformance;

import dev.lamina.device.Device;
import dev.lamina.graph.Op;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;

/**
 * One operation with the types and the making of its inputs: a test of any device.
 *
 * @param op the operation
 * @param inputs its inputs, in order
 * @param seed of the random inputs
 */
record OpCase(Op op, List<In> inputs, long seed) {

  /** An input: its type, and how to fill it. */
  record In(TensorType type, Fill fill) {}

  /** Fills a fresh tensor of zeros. */
  @FunctionalInterface
  interface Fill {
    void fill(HostTensor tensor, Random random);
  }

  OpCase {
    inputs = List.copyOf(inputs);
  }

  /** A case whose seed comes from what it is: it stays the same when others are added. */
  static OpCase of(Op op, In... inputs) {
    return new OpCase(
        op, List.of(inputs), (op.toString() + List.of(inputs).stream().map(In::type).toList()).hashCode());
  }

  List<TensorType> types() {
    return inputs.stream().map(In::type).toList();
  }

  /** Operation and types; long expressions are cut. */
  String title() {
    String what = op.toString();
    String shortened = what.length() > 110 ? what.substring(0, 107) + "…" : what;
    return types().stream().map(TensorType::toString).collect(Collectors.joining(" ", shortened + " of ", ""));
  }

  /**
   * Runs the operation on {@code device} and on the reference device {@code oracle} and compares.
   *
   * @throws AssertionError with all that is needed to find the cause
   */
  void check(Device device, Device oracle) {
    try (var arena = Arena.ofConfined()) {
      List<HostTensor> values = make(arena);
      List<HostTensor> want = RunOp.run(oracle, arena, op, values);
      List<HostTensor> got = RunOp.run(device, arena, op, values);
      List<Bounded> bounds = new ErrorBounds(oracle, arena).of(op, values.stream().map(Bounded::exact).toList());
      for (int i = 0; i < want.size(); i++) {
        int output = i;
        Comparison.mismatches(got.get(i), want.get(i), bounds.get(i))
            .ifPresent(mismatches -> {
              throw new AssertionError(
                  device.name()
                      + ": output "
                      + output
                      + " of "
                      + op
                      + "\n of "
                      + types()
                      + ", seed "
                      + seed
                      + ": "
                      + mismatches);
            });
      }
    }
  }

  private List<HostTensor> make(Arena arena) {
    Random random = new Random(seed);
    List<HostTensor> tensors = new ArrayList<>();
    for (In input : inputs) {
      HostTensor tensor = HostTensor.allocate(arena, input.type);
      input.fill.fill(tensor, random);
      tensors.add(tensor);
    }
    return tensors;
  }
}
