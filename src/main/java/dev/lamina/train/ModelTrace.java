package dev.lamina.train;

import dev.lamina.graph.Graph;
import dev.lamina.graph.Node.Phase;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.nn.Parameters;
import dev.lamina.nn.Scope;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.List;

/** Traces one model into graphs, each time over the same variables. */
final class ModelTrace {
  /** Passes that training has begun: random streams count them. */
  static final Variable PASSES = new Variable("training.passes", TensorType.of(DType.I32), Variable.Kind.COUNTER);

  private final ModelSpec spec;
  private final Parameters parameters;

  ModelTrace(ModelSpec spec, Parameters parameters) {
    this.spec = spec;
    this.parameters = parameters;
  }

  ModelSpec spec() {
    return spec;
  }

  Parameters parameters() {
    return parameters;
  }

  /** The input {@code images} of a graph for {@code batch} examples. */
  Tensor images(Graph graph, int batch) {
    return graph.input("images", new TensorType(batched(spec.example().shape(), batch), spec.example().dtype()));
  }

  private static Shape batched(Shape example, int batch) {
    int[] dims = new int[example.rank() + 1];
    dims[0] = batch;
    System.arraycopy(example.dims(), 0, dims, 1, example.rank());
    return Shape.of(dims);
  }

  /** The model's output on raw {@code images}, which are prepared first. */
  Tensor forward(Graph graph, Tensor images, Scope.Mode mode) {
    return forward(images, scope(graph, mode));
  }

  /** The same; {@code applied} gets all layers, each behind those within it. */
  Tensor forward(Graph graph, Tensor images, Scope.Mode mode, List<Scope.Applied> applied) {
    Scope scope = scope(graph, mode);
    Tensor output = forward(images, scope);
    applied.addAll(scope.applied());
    return output;
  }

  /** The scope of the whole model in {@code graph}. */
  Scope scope(Graph graph, Scope.Mode mode) {
    return Scope.root(graph, mode, parameters, spec.precision().parameters(), spec.seed(), graph.read(PASSES));
  }

  /** The model's output on raw {@code images}, traced in {@code scope}, which knows more about it afterwards. */
  Tensor forward(Tensor images, Scope scope) {
    Tensor[] result = new Tensor[1];
    scope
        .graph()
        .within("", Phase.FORWARD, () -> result[0] = output(images, scope).cast(spec.precision().parameters()));
    return result[0];
  }

  private Tensor output(Tensor images, Scope scope) {
    if (spec.preparation() == null) {
      return spec.model().forward(images.cast(spec.precision().activations()), scope);
    }
    Tensor prepared = spec.preparation().prepare(images, scope, spec.precision());
    try {
      return spec.model().forward(prepared, scope);
    } catch (IllegalArgumentException e) {
      if (spec.preparation() instanceof PreparedInputs inputs && inputs.fitted().flattens()) {
        throw new IllegalArgumentException(inputs.refusal(e.getMessage()), e);
      }
      throw e;
    }
  }
}
