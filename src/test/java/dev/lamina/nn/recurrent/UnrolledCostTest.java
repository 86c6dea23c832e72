package dev.lamina.nn.recurrent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Plan;
import dev.lamina.device.VariableLayout;
import dev.lamina.device.cpu.CpuProvider;
import dev.lamina.graph.Gradients;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.graph.passes.Passes;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Parameters;
import dev.lamina.nn.Scope;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Unrolling a layer for more steps takes more work in proportion, and no more kinds of it. Work is counted, not timed.
 */
class UnrolledCostTest {
  private static final int N = 8;
  private static final int UNITS = 16;

  private record Kind(Op op, List<TensorType> inputs) {}

  static Stream<Layer> layers() {
    return Stream.of(new Rnn(UNITS), new Lstm(UNITS), new Gru(UNITS), new Lstm(UNITS).truncated(7));
  }

  private record Traced(Graph graph, VariableLayout layout) {}

  private static Traced trace(Layer layer, int time) {
    Graph graph = new Graph();
    Parameters parameters = new Parameters();
    Tensor x = graph.input("x", TensorType.f32(N, time, 4));
    Tensor step = graph.constant(TensorType.of(DType.I32), 1);
    Tensor y = layer.forward(x, Scope.root(graph, Scope.Mode.TRAINING, parameters, DType.F32, 1, step));
    List<Tensor> weights =
        graph.nodes().stream().filter(node -> node.op() instanceof Op.Read).map(node -> graph.tensor(node, 0)).toList();
    List<Tensor> gradients = Gradients.of(y.times(y).mean(), weights);
    for (Tensor gradient : gradients) {
      graph.output("gradient " + graph.outputs().size(), gradient);
    }
    List<Variable> variables = new ArrayList<>();
    parameters.all().forEach(declaration -> variables.add(declaration.variable()));
    return new Traced(graph, new VariableLayout(variables));
  }

  @ParameterizedTest
  @MethodSource("layers")
  void moreStepsNeedNoOtherKernels(Layer layer) {
    try (Device device = new CpuProvider().open(new DeviceOptions(1))) {
      Plan few = plan(layer, 11, device);
      Plan some = plan(layer, 18, device);
      Plan many = plan(layer, 25, device);
      assertEquals(kinds(few).size(), kinds(many).size(), "distinct kernels");
      int perStep = (some.kernels() - few.kernels()) / 7;
      assertEquals(7 * perStep, many.kernels() - some.kernels(), "kernels of 7 more steps");
      // A product and a map forward; a map, the pack of what lies in it already, two products and perhaps another map
      // or a bias's sum backward.
      assertTrue(perStep <= 9, perStep + " kernels a step");
    }
  }

  private static Plan plan(Layer layer, int time, Device device) {
    Traced traced = trace(layer, time);
    return Plan.of(traced.graph, device, traced.layout);
  }

  private static Set<Kind> kinds(Plan plan) {
    Set<Kind> kinds = new HashSet<>();
    plan.graph().nodes().stream()
        .filter(node -> !(node.op() instanceof Op.Reshape || node.op() instanceof Op.Slice))
        .forEach(node -> kinds.add(new Kind(node.op(), node.inputTypes())));
    return kinds;
  }

  @ParameterizedTest
  @MethodSource("layers")
  void passesAskTheDeviceInProportionToTheSteps(Layer layer) {
    long few = questions(layer, 29);
    long some = questions(layer, 57);
    long many = questions(layer, 113);
    assertEquals(2 * (some - few), many - some, "28 more steps asked " + (some - few) + " questions more, 56 another");
  }

  private static long questions(Layer layer, int time) {
    int[] asked = {0};
    Passes.optimise(
        trace(layer, time).graph,
        (op, types) -> {
          asked[0]++;
          return true;
        },
        List.of());
    return asked[0];
  }
}
