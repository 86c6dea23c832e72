package dev.lamina.train;

import static dev.lamina.graph.Exprs.input;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Node.Phase;
import dev.lamina.graph.Op;
import dev.lamina.graph.Statistics;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Scope;
import dev.lamina.nn.activation.Activation;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * The graphs that look inside a model. One runs before an update, on its batch: forward and backward, everything
 * reduced to a few numbers for each layer; it keeps the weights aside. The other, after the update, compares. Neither
 * changes what training sees: no statistic is updated, no random stream moves on.
 */
final class StatisticsGraphs {
  static final int BINS = 30;

  /**
   * Values of a layer that figures of its outputs and histograms are made of: those of the first examples of the batch.
   * All of them, in a dozen passes, would cost several updates, and say nothing that a hundred thousand do not. Mean
   * and deviation of gradients are of all: once a net has learned, few examples have any that count.
   */
  private static final int MOST_VALUES = 1 << 17;

  /** The places of a layer's numbers in its output. */
  enum Figure {
    MEAN,
    VARIANCE,
    GRADIENT_MEAN,
    GRADIENT_DEVIATION,
    ZEROS,
    SATURATED,
    LOW,
    HIGH,
    GRADIENT_LOW,
    GRADIENT_HIGH
  }

  /** The places of a weight's numbers: norms. */
  enum Norm {
    WEIGHT,
    UPDATE
  }

  /** A layer that is looked at; {@code canSaturate} if there are sigmoids or tanhs in it, such as a cell's gates. */
  record Watched(String path, Layer layer, boolean canSaturate) {
    String kind() {
      return layer.getClass().isSynthetic() ? "activation" : layer.getClass().getSimpleName().toLowerCase(Locale.ROOT);
    }

    boolean isActivation() {
      return layer instanceof Activation;
    }

    boolean canDie() {
      return ReluUnits.areIn(layer);
    }

    String figures() {
      return "figures of " + path;
    }

    String histogram() {
      return "histogram of " + path;
    }

    String gradients() {
      return "gradients of " + path;
    }

    String units() {
      return "units of " + path;
    }
  }

  /** The output with the norms of all gradients, or of all weights. */
  static final String NORMS = "norms";

  /**
   * Both graphs.
   *
   * @param before an update
   * @param after it
   * @param layers that are looked at
   * @param weights in the order of {@link #NORMS}
   * @param variables where the weights are kept meanwhile
   */
  record Built(Graph before, Graph after, List<Watched> layers, List<Variable> weights, List<Variable> variables) {}

  private StatisticsGraphs() {}

  static Built of(ModelTrace trace) {
    ModelTrace.Pass pass = trace.trainingUnchanged();
    Graph before = pass.graph();
    List<Scope.Applied> applied = pass.applied();
    Tensor loss = pass.perExample().mean();

    List<Scope.Applied> watched = applied.stream().filter(a -> isLeaf(a, applied) && isTelling(a, before)).toList();
    SequencedMap<String, List<Tensor>> squashed = Saturation.inputs(before);
    // As in training: gradients that 16-bit floats would lose are lifted on their way.
    LossScale scale = trace.spec().precision() == Precision.FP16 ? LossScale.read(before) : null;
    WeightGradients gradients =
        WeightGradients.of(
            before, scale == null ? loss : scale.lifted(loss), watched.stream().map(Scope.Applied::output).toList());
    UnaryOperator<Tensor> lowered = g -> scale == null ? g : scale.lowered(g.cast(DType.F32));
    List<Variable> weights = List.copyOf(gradients.weights().keySet());
    List<Watched> layers = new ArrayList<>();
    List<Variable> kept = new ArrayList<>();
    Graph after = new Graph();
    before.within(
        "",
        Phase.UPDATE,
        () -> {
          for (int i = 0; i < watched.size(); i++) {
            Scope.Applied layer = watched.get(i);
            List<Tensor> toSquash = squashed.getOrDefault(layer.path(), List.of());
            layers.add(look(pass, layer, toSquash, lowered.apply(gradients.others().get(i))));
          }
          List<Tensor> norms = new ArrayList<>();
          gradients
              .weights()
              .forEach((weight, gradient) -> {
                norms.add(norm(lowered.apply(gradient), input(0)));
                Variable aside = new Variable("before." + weight.name(), weight.type(), Variable.Kind.METRIC);
                kept.add(aside);
                before.assign(aside, before.read(weight));
              });
          before.output(NORMS, Tensor.concat(0, norms));
        });
    after.within("", Phase.UPDATE, () -> after.output(NORMS, compared(after, weights, kept)));
    return new Built(before, after, List.copyOf(layers), weights, List.copyOf(kept));
  }

  private static Tensor compared(Graph graph, List<Variable> weights, List<Variable> kept) {
    List<Tensor> norms = new ArrayList<>();
    for (int i = 0; i < weights.size(); i++) {
      Tensor old = graph.read(kept.get(i));
      norms.add(norm(old, input(0)));
      norms.add(norm(old, Exprs.sub(input(1), input(0)), graph.read(weights.get(i))));
    }
    return Tensor.concat(0, norms);
  }

  private static Tensor norm(Tensor tensor, Expr value, Tensor... others) {
    return Statistics.safeNorm(tensor, value, DType.F32, others).reshape(1);
  }

  private static boolean isLeaf(Scope.Applied layer, List<Scope.Applied> all) {
    return all.stream().noneMatch(other -> other.path().startsWith(layer.path() + "."));
  }

  /** Whether it has weights or is an activation: others only move values. */
  private static boolean isTelling(Scope.Applied layer, Graph graph) {
    return layer.layer() instanceof Activation
        || graph.nodes().stream()
            .anyMatch(node ->
                node.layer().equals(layer.path())
                    && node.op() instanceof Op.Read(Variable variable)
                    && variable.kind() == Variable.Kind.WEIGHT);
  }

  private static Watched look(ModelTrace.Pass pass, Scope.Applied applied, List<Tensor> toSquash, Tensor gradient) {
    Graph graph = pass.graph();
    Watched layer = new Watched(applied.path(), applied.layer(), !toSquash.isEmpty());
    if (layer.canDie()) {
      graph.output(layer.units(), ReluUnits.peaks(pass, applied).cast(DType.F32));
    }
    int batch = applied.output().shape().dim(0);
    Tensor y = sample(applied.output(), batch);
    Tensor low = Statistics.least(y);
    Tensor high = Statistics.largest(y);
    Tensor someGradients = sample(gradient, batch);
    Tensor lowGradient = Statistics.least(someGradients);
    Tensor highGradient = Statistics.largest(someGradients);
    List<Tensor> figures =
        Stream.of(
                Statistics.mean(y, DType.F32),
                Statistics.variance(y, DType.F32),
                Statistics.mean(gradient, DType.F32),
                Statistics.safeDeviation(
                    gradient, highGradient.cast(DType.F32).minus(lowGradient.cast(DType.F32)), DType.F32),
                Statistics.share(y, input(0), Relation.EQ, 0, DType.F32),
                layer.canSaturate()
                    ? Saturation.share(toSquash.stream().map(x -> sample(x, batch)).toList(), DType.F32)
                    : graph.constant(TensorType.of(DType.F32), 0),
                low,
                high,
                lowGradient,
                highGradient)
            .map(figure -> figure.cast(DType.F32).reshape(1))
            .toList();
    graph.output(layer.figures(), Tensor.concat(0, figures));
    graph.output(layer.histogram(), y.histogram(low, high, BINS));
    graph.output(layer.gradients(), someGradients.histogram(lowGradient, highGradient, BINS));
    return layer;
  }

  /** The values of its first examples, if it has {@code batch} of them and together too many. */
  private static Tensor sample(Tensor values, int batch) {
    int examples = (int) Math.max(1, MOST_VALUES / Math.max(1, values.shape().size() / batch));
    return values.shape().dim(0) == batch && examples < batch ? values.slice(0, 0, examples) : values;
  }
}
