package dev.lamina.train.pretrain;

import dev.lamina.graph.Graph;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.io.BadInputException;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Flatten;
import dev.lamina.nn.Parameters;
import dev.lamina.nn.Scope;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.Sigmoid;
import dev.lamina.nn.init.Initializer;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import dev.lamina.train.ModelSpec;
import dev.lamina.train.Precision;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;

/** A model of dense layers with sigmoids and a dense layer at the top, cut into its hidden layers. */
final class SigmoidStack {
  private final ModelSpec spec;
  private final Precision precision;
  private final List<HiddenLayer> layers;
  private final Parameters parameters = new Parameters();

  /**
   * Looks at the layers of {@code spec}.
   *
   * @throws BadInputException if there are others
   */
  SigmoidStack(ModelSpec spec, VisibleUnits units) {
    this.spec = spec;
    // Probabilities near 0 and 1, and sums of many small steps, want all 32 bits.
    boolean narrow = spec.precision().activations() != spec.precision().parameters();
    precision = narrow ? Precision.TF32 : spec.precision();
    Graph graph = new Graph();
    Tensor inputs = graph.input("images", spec.example().batched(1));
    Tensor step = graph.input("step", TensorType.of(DType.I32));
    Scope scope = Scope.root(graph, Scope.Mode.EVALUATION, parameters, precision.parameters(), spec.seed(), step);
    layers = hidden(leaves(inputs, scope), units);
  }

  ModelSpec spec() {
    return spec;
  }

  /** Of weights and probabilities. */
  Precision precision() {
    return precision;
  }

  List<HiddenLayer> layers() {
    return layers;
  }

  /** All weights and statistics of the model, as a training would begin with them. */
  SequencedMap<String, HostTensor> initial(Arena arena) {
    SequencedMap<String, HostTensor> values = new LinkedHashMap<>();
    for (Parameters.Declaration declaration : parameters.all()) {
      Variable variable = declaration.variable();
      HostTensor value = HostTensor.allocate(arena, variable.type());
      declaration.initializer().fill(value, Initializer.generator(spec.seed(), variable.name()));
      values.put(variable.name(), value);
    }
    return values;
  }

  /** What the dense layer of {@code layer} gets when the model sees raw {@code inputs}. */
  Tensor below(HiddenLayer layer, Tensor inputs, Scope scope) {
    return leaves(inputs, scope).stream()
        .filter(leaf -> leaf.path().equals(layer.path()))
        .findFirst()
        .orElseThrow()
        .input();
  }

  private List<Scope.Applied> leaves(Tensor inputs, Scope scope) {
    Tensor prepared = spec.preparation().prepare(inputs, scope, precision);
    spec.model().forward(prepared, scope);
    return scope.applied().stream().filter(applied -> !(applied.layer() instanceof Sequential)).toList();
  }

  private static List<HiddenLayer> hidden(List<Scope.Applied> leaves, VisibleUnits units) {
    List<Scope.Applied> rest = new ArrayList<>(leaves);
    while (!rest.isEmpty() && rest.getFirst().layer() instanceof Flatten) {
      rest.removeFirst();
    }
    List<HiddenLayer> layers = new ArrayList<>();
    while (rest.size() > 1) {
      Scope.Applied dense = rest.removeFirst();
      if (!(dense.layer() instanceof Dense weights)) {
        throw refused(dense.path() + " is " + word(dense));
      }
      if (weights.bias() == null) {
        throw refused(dense.path() + " has no bias");
      }
      Scope.Applied activation = rest.removeFirst();
      if (!(activation.layer() instanceof Sigmoid)) {
        throw refused(activation.path() + " behind " + dense.path() + " is " + word(activation));
      }
      layers.add(
          new HiddenLayer(
              layers.size() + 1,
              dense.path(),
              layers.isEmpty() ? units : VisibleUnits.BINARY,
              dense.input().shape().last(),
              weights.units()));
    }
    if (rest.isEmpty() || !(rest.getFirst().layer() instanceof Dense)) {
      throw refused(rest.isEmpty() ? "the last layer is not dense" : "the last layer is " + word(rest.getFirst()));
    }
    if (layers.isEmpty()) {
      throw refused("the model has no hidden layer");
    }
    return List.copyOf(layers);
  }

  private static String word(Scope.Applied applied) {
    return "of kind " + applied.layer().getClass().getSimpleName().toLowerCase(Locale.ROOT);
  }

  private static BadInputException refused(String what) {
    return new BadInputException(
        what
            + "; pre-training takes flatten, dense layers with a bias and a sigmoid behind each, and a dense layer at"
            + " the top");
  }
}
