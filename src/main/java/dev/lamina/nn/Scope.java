package dev.lamina.nn;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Graph;
import dev.lamina.graph.RandomStream;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.nn.init.Initializer;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * The place of a layer in a model that is being traced: it names parameters, statistics and random streams by the path
 * from the model down, such as {@code block1.conv2.weight}.
 */
public final class Scope {

  /** What a model is traced for. */
  public enum Mode {
    /** Batch statistics, dropout. */
    TRAINING,
    /** Running statistics, no dropout. */
    EVALUATION
  }

  private final Trace trace;
  private final String path;
  private final Set<String> children = new HashSet<>();
  private int randomCalls;

  private Scope(Trace trace, String path) {
    this.trace = trace;
    this.path = path;
  }

  /**
   * A layer in its place.
   *
   * @param path of the layer
   * @param layer what is there
   * @param input what it was given
   * @param output what it made of that
   */
  public record Applied(String path, Layer layer, Tensor input, Tensor output) {}

  /** What all scopes of one trace share. */
  private record Trace(
      Graph graph,
      Mode mode,
      Parameters parameters,
      DType dtype,
      long seed,
      Tensor step,
      UnaryOperator<Variable> stored,
      Tensor share,
      SequencedMap<String, List<Tensor>> unrolled,
      List<Applied> applied) {}

  /**
   * The scope of a whole model.
   *
   * @param graph grows by the model
   * @param mode training or evaluation
   * @param parameters collects what the layers ask for
   * @param dtype of parameters and activations: F32, or F64 on the reference device
   * @param seed of dropout
   * @param step the number of the step, I32 scalar, from which random streams count
   */
  public static Scope root(Graph graph, Mode mode, Parameters parameters, DType dtype, long seed, Tensor step) {
    return root(graph, mode, parameters, dtype, seed, step, UnaryOperator.identity(), null);
  }

  /**
   * The same over values that lie elsewhere.
   *
   * @param stored where the value of a parameter or statistic is read, and written
   * @param share of the batch in statistics that {@link #follow} it, a scalar; null for what the layers say
   */
  public static Scope root(
      Graph graph,
      Mode mode,
      Parameters parameters,
      DType dtype,
      long seed,
      Tensor step,
      UnaryOperator<Variable> stored,
      Tensor share) {
    Trace trace =
        new Trace(graph, mode, parameters, dtype, seed, step, stored, share, new LinkedHashMap<>(), new ArrayList<>());
    return new Scope(trace, "");
  }

  /** The graph that is being built. */
  public Graph graph() {
    return trace.graph;
  }

  /** Whether the model is traced for training. */
  public boolean training() {
    return trace.mode == Mode.TRAINING;
  }

  /** The names from the model down to here, joined by dots; empty at the top. */
  public String path() {
    return path;
  }

  /** A learned tensor that weight decay applies to. */
  public Tensor parameter(String name, Shape shape, Initializer initializer) {
    return parameter(name, shape, initializer, true);
  }

  /**
   * A learned tensor.
   *
   * @param decayed whether weight decay applies
   */
  public Tensor parameter(String name, Shape shape, Initializer initializer, boolean decayed) {
    return graph().read(trace.stored.apply(declare(name, shape, Variable.Kind.WEIGHT, initializer, decayed)));
  }

  /** A tensor that is learned otherwise; {@link #update} gives it its next value. */
  public Tensor statistic(String name, Shape shape, Initializer initializer) {
    return graph().read(trace.stored.apply(declare(name, shape, Variable.Kind.STATISTIC, initializer, false)));
  }

  /** The value that a statistic, which was read before, has from the next step on. */
  public void update(Tensor statistic, Tensor next) {
    if (!(statistic.node().op() instanceof dev.lamina.graph.Op.Read(Variable variable))) {
      throw new IllegalArgumentException(path + ": only a statistic can be updated, got " + statistic);
    }
    graph().assign(variable, next);
  }

  /**
   * Lets a statistic, which was read before, follow the batch: {@code r ← (1 − momentum)·r + momentum·factor·batch}.
   * Where somebody takes the mean over many batches the momentum is theirs.
   *
   * @param batch what this batch has instead
   * @param factor makes an unbiased estimate of it
   */
  public void follow(Tensor statistic, Tensor batch, double factor, double momentum) {
    Expr old = Exprs.input(0);
    Expr now = Exprs.input(1);
    update(
        statistic,
        trace.share == null
            ? statistic.map(Exprs.add(Exprs.mul(old, 1 - momentum), Exprs.mul(now, momentum * factor)), batch)
            : statistic.map(
                Exprs.add(old, Exprs.mul(Exprs.input(2), Exprs.sub(Exprs.mul(now, factor), old))), batch, trace.share));
  }

  private Variable declare(String name, Shape shape, Variable.Kind kind, Initializer initializer, boolean decayed) {
    Variable variable = new Variable(join(name), new TensorType(shape, trace.dtype), kind);
    return trace.parameters.declare(variable, initializer, decayed);
  }

  /**
   * Random words for one use in this layer: the stream is a hash of the path and the number of the call, so adding a
   * layer elsewhere changes no other layer's numbers.
   *
   * @param stepInput the input of the expression at which {@link #step} is passed
   */
  public RandomStream random(int stepInput) {
    return new RandomStream(trace.seed, RandomStream.hash(path + "#" + randomCalls++), stepInput);
  }

  /** The number of the step, I32 scalar: the input that a random expression reads. */
  public Tensor step() {
    return trace.step;
  }

  /** Shows whoever traces the model the outputs of this layer's steps through time. Costs nothing if nobody looks. */
  public void unrolled(List<Tensor> steps) {
    trace.unrolled.put(path, List.copyOf(steps));
  }

  /** The outputs of all steps, [units, n] each, of the recurrent layers that were traced so far, by their paths. */
  public SequencedMap<String, List<Tensor>> unrolled() {
    return Collections.unmodifiableSequencedMap(trace.unrolled);
  }

  /** Adds {@code layer} under {@code name}. */
  public Tensor apply(String name, Layer layer, Tensor x) {
    if (!children.add(name)) {
      throw new IllegalArgumentException(join(name) + ": two layers have this name");
    }
    Scope scope = new Scope(trace, join(name));
    Tensor[] result = new Tensor[1];
    graph().within(scope.path, graph().phase(), () -> result[0] = layer.forward(x, scope));
    trace.applied.add(new Applied(scope.path, layer, x, result[0]));
    return result[0];
  }

  /** All layers of the model so far, each behind those within it. */
  public List<Applied> applied() {
    return Collections.unmodifiableList(trace.applied);
  }

  /**
   * Adds {@code layers}, one after the other, named by what they are and a number that counts each kind: {@code
   * conv2d1, batchnorm1, conv2d2}; or as {@link Named} says.
   */
  public Tensor applyAll(List<? extends Layer> layers, Tensor x) {
    Tensor value = x;
    for (Layer layer : layers) {
      if (layer instanceof Named(String name, Layer named)) {
        value = apply(name, named, value);
        continue;
      }
      String kind =
          layer.getClass().isSynthetic() ? "layer" : layer.getClass().getSimpleName().toLowerCase(Locale.ROOT);
      int number = 1;
      while (children.contains(kind + number)) {
        number++;
      }
      value = apply(kind + number, layer, value);
    }
    return value;
  }

  private String join(String name) {
    return path.isEmpty() ? name : path + "." + name;
  }
}
