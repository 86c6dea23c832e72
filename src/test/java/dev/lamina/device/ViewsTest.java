package dev.lamina.device;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lamina.device.reference.ReferenceDevice;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Slices that are memory which is there already, and who shares it. */
class ViewsTest {
  private static final TensorType VECTOR = TensorType.f32(64);

  /** What one step gave: the output y, and how many kernels it took. */
  private record Outcome(List<Double> y, int kernels) {}

  /** Runs one step of {@code graph}; every input and variable of 64 floats holds 0, 1, 2, … */
  private static Outcome run(Graph graph, Variable... variables) {
    try (Arena arena = Arena.ofConfined();
        Device device = new ReferenceDevice()) {
      VariableLayout layout = new VariableLayout(List.of(variables));
      Plan plan = Plan.of(graph, device, layout);
      HostTensor counting = HostTensor.allocate(arena, VECTOR);
      for (int i = 0; i < 64; i++) {
        counting.set(i, i);
      }
      try (VariableStore store = new VariableStore(device, layout);
          Buffer memory = device.allocate(Math.max(plan.arenaBytes(), 64));
          Program program = new Program(plan, device, store, memory)) {
        for (Variable variable : variables) {
          store.write(variable, counting);
        }
        program.stage("x", counting).await();
        program.run();
        HostTensor y = HostTensor.allocate(arena, program.resultType("y"));
        program.read("y", y);
        return new Outcome(LongStream.range(0, y.size()).mapToObj(y::get).toList(), program.parts().size());
      }
    }
  }

  @Test
  void aSliceOfWhatWasComputedTakesNoKernel() {
    Graph graph = new Graph();
    Tensor x = graph.input("x", VECTOR).times(2);
    graph.output("y", x.slice(0, 32, 34).reshape(1, 2).matmul(x.slice(0, 8, 10).reshape(2, 1)));
    assertEquals(new Outcome(List.of(4.0 * (32 * 8 + 33 * 9)), 2), run(graph));
  }

  @Test
  void aSliceThatBeginsInTheMidstOfAnAccessIsCopied() {
    Graph graph = new Graph();
    Tensor x = graph.input("x", VECTOR).times(2);
    graph.output("y", x.slice(0, 33, 35).reshape(1, 2).matmul(x.slice(0, 8, 10).reshape(2, 1)));
    assertEquals(new Outcome(List.of(4.0 * (33 * 8 + 34 * 9)), 3), run(graph));
  }

  @Test
  void aSliceOfColumnsIsCopied() {
    Graph graph = new Graph();
    Tensor x = graph.input("x", VECTOR).reshape(2, 32).times(2);
    graph.output("y", x.slice(1, 8, 9));
    assertEquals(List.of(16.0, 80.0), run(graph).y);
  }

  @Test
  void whatIsComputedInPlaceLeavesTheRestOfTheSlicedAlone() {
    Graph graph = new Graph();
    Tensor x = graph.input("x", VECTOR).times(2);
    Tensor first = x.slice(0, 0, 8).reshape(1, 8).matmul(x.slice(0, 16, 24).reshape(8, 1));
    // The same bytes as the slice that dies here; the other half is read afterwards.
    Tensor second = x.slice(0, 0, 32).plus(first.reshape(1)).reshape(1, 32);
    graph.output(
        "y", second.matmul(second.matmul(x.slice(0, 32, 64).reshape(32, 1)).plus(x.slice(0, 32, 64).reshape(32, 1))));
    double product = 0;
    for (int i = 0; i < 8; i++) {
      product += 4.0 * i * (16 + i);
    }
    double inner = 0;
    for (int i = 0; i < 32; i++) {
      inner += (2 * i + product) * 2 * (32 + i);
    }
    double outer = 0;
    for (int i = 0; i < 32; i++) {
      outer += (2 * i + product) * (inner + 2 * (32 + i));
    }
    assertEquals(outer, run(graph).y.getFirst(), 1e-6 * outer);
  }

  @Test
  void aSliceOfAVariableIsItsOldValueThoughTheNewOneIsThere() {
    Variable variable = new Variable("v", VECTOR, Variable.Kind.WEIGHT);
    Graph graph = new Graph();
    Tensor old = graph.read(variable);
    graph.assign(variable, old.times(graph.input("x", VECTOR)));
    graph.output("y", old.slice(0, 32, 34));
    assertEquals(List.of(32.0, 33.0), run(graph, variable).y);
  }
}
