package dev.lamina.nn.recurrent;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.RunningGraph;
import dev.lamina.device.VariableStore;
import dev.lamina.device.reference.ReferenceProvider;
import dev.lamina.graph.Gradients;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Node;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Parameters;
import dev.lamina.nn.Scope;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Map;

/**
 * The gradient of the sum of a layer's outputs with respect to one of its weights, for one example, on the reference
 * device in double.
 */
record WeightGradient(Layer layer, String name) {

  double[] of(double[] x, double[] weight, double[] recurrent, double[] bias, int features) {
    Map<String, double[]> values = Map.of("x", x, "weight", weight, "recurrent", recurrent, "bias", bias);
    Graph graph = new Graph();
    Variable input =
        new Variable(
            "x", new TensorType(Shape.of(1, x.length / features, features), DType.F64), Variable.Kind.STATISTIC);
    Parameters parameters = new Parameters();
    Tensor step = graph.constant(TensorType.of(DType.I32), 1);
    Scope scope = Scope.root(graph, Scope.Mode.TRAINING, parameters, DType.F64, 1, step);
    Tensor loss = layer.forward(graph.read(input), scope).sum();
    Tensor read =
        graph.nodes().stream()
            .filter(node -> node.op() instanceof Op.Read(Variable variable) && variable.name().equals(name))
            .map((Node node) -> graph.tensor(node, 0))
            .findFirst()
            .orElseThrow();
    Tensor gradient = Gradients.of(loss, List.of(read)).getFirst();
    graph.output("gradient", gradient);
    try (Arena arena = Arena.ofConfined();
        Device device = new ReferenceProvider().open(new DeviceOptions(1));
        RunningGraph running = new RunningGraph(device, graph)) {
      VariableStore store = running.variables();
      for (Variable variable : store.layout().variables()) {
        HostTensor value = HostTensor.allocate(arena, variable.type());
        for (int i = 0; i < value.size(); i++) {
          value.set(i, values.get(variable.name())[i]);
        }
        store.write(variable, value);
      }
      running.run();
      return running.read("gradient");
    }
  }
}
