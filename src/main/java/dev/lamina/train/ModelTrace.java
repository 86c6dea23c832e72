package dev.lamina.train;

import dev.lamina.graph.Graph;
import dev.lamina.graph.Node.Phase;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.loss.Loss;
import dev.lamina.nn.Parameters;
import dev.lamina.nn.Scope;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.UnaryOperator;

/** Traces one model into graphs, each time over the same variables. */
final class ModelTrace {
  /** Passes that training has begun: random streams count them. */
  static final Variable PASSES = new Variable("training.passes", TensorType.of(DType.I32), Variable.Kind.COUNTER);

  private final ModelSpec spec;
  private final Parameters parameters;
  private final WeightAverages averages;

  ModelTrace(ModelSpec spec, Parameters parameters) {
    this.spec = spec;
    this.parameters = parameters;
    averages = spec.averaging() == null || !spec.trains() ? new WeightAverages() : averagesOfAll();
  }

  private WeightAverages averagesOfAll() {
    Set<Variable> assigned = training().graph().assigns().keySet();
    return new WeightAverages(parameters.all(), assigned);
  }

  /** Of what a trained model consists of; none unless the spec wants them. */
  WeightAverages averages() {
    return averages;
  }

  ModelSpec spec() {
    return spec;
  }

  Parameters parameters() {
    return parameters;
  }

  /** The input {@code images} of a graph for {@code batch} examples. */
  private Tensor images(Graph graph, int batch) {
    return graph.input("images", spec.example().batched(batch));
  }

  /** A batch on its way to the loss, in a graph of its own. */
  static final class Pass {
    private final Loss loss;
    private final Scope scope;
    private final Tensor output;
    private Tensor target;

    private Pass(Loss loss, Scope scope, Tensor output) {
      this.loss = loss;
      this.scope = scope;
      this.output = output;
    }

    Graph graph() {
      return scope.graph();
    }

    /** What the model makes of the input {@code images}. */
    Tensor output() {
      return output;
    }

    /** All layers, each behind those within it. */
    List<Scope.Applied> applied() {
      return scope.applied();
    }

    /** The outputs of all steps through time of the recurrent layers, by their paths. */
    SequencedMap<String, List<Tensor>> unrolled() {
      return scope.unrolled();
    }

    /** The input {@code target}, which the graph has from the first call on. */
    Tensor target() {
      if (target == null) {
        target = graph().input("target", loss.target(output.type()));
      }
      return target;
    }

    /** The loss of each example, [n]. */
    Tensor perExample() {
      return loss.perExample(output, target());
    }
  }

  /** A pass of training: norms see the batch, dropout drops, statistics have a next value. */
  Pass training() {
    return pass(new Graph(), Scope.Mode.TRAINING, spec.batch(), UnaryOperator.identity(), null);
  }

  /**
   * A pass of the averaged weights over a batch of training; the averages of statistics go by the input {@code share}
   * of the way to those of the batch.
   */
  Pass trainingOfAverages() {
    Graph graph = new Graph();
    Tensor share = graph.input("share", TensorType.of(spec.precision().parameters()));
    return pass(graph, Scope.Mode.TRAINING, spec.batch(), averages::read, share);
  }

  /** The same to look at: no statistic gets another value, and no random stream moves on. */
  Pass trainingUnchanged() {
    Pass pass = training();
    pass.graph().dropAssigns();
    return pass;
  }

  /** A pass that judges or predicts: running statistics, no dropout. */
  Pass evaluation() {
    return pass(new Graph(), Scope.Mode.EVALUATION, spec.evaluationBatch(), averages::read, null);
  }

  private Pass pass(Graph graph, Scope.Mode mode, int batch, UnaryOperator<Variable> stored, Tensor share) {
    Tensor images = images(graph, batch);
    DType dtype = spec.precision().parameters();
    Scope scope = Scope.root(graph, mode, parameters, dtype, spec.seed(), graph.read(PASSES), stored, share);
    Tensor[] output = new Tensor[1];
    graph.within("", Phase.FORWARD, () -> output[0] = output(images, scope).cast(spec.precision().parameters()));
    return new Pass(spec.loss(), scope, output[0]);
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
