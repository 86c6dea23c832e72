package dev.lamina.benchmarks;

import dev.lamina.graph.Gradients;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Parameters;
import dev.lamina.nn.Scope;
import dev.lamina.nn.init.Initializer;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * A graph over random values, before it has a device. Its operands are variables, which lie on the device: a run copies
 * nothing in.
 */
public final class Problem {
  private static final long SEED = 2024;

  private final Graph graph = new Graph();
  private final Parameters parameters = new Parameters();
  private final SequencedMap<Variable, Initializer> operands = new LinkedHashMap<>();
  private final List<Variable> assigned = new ArrayList<>();
  private final DType dtype;

  /**
   * An empty graph.
   *
   * @param dtype of all values: F32 for what is measured, F64 for what it is held against
   */
  public Problem(DType dtype) {
    this.dtype = dtype;
  }

  /** Normal values of mean 0 and the given deviation. */
  public Tensor normal(String name, double deviation, int... dims) {
    return operand(
        name,
        (target, random) -> {
          for (long i = 0; i < target.size(); i++) {
            target.set(i, deviation * random.nextGaussian());
          }
        },
        dims);
  }

  /** Values between {@code low} and {@code high}. */
  public Tensor uniform(String name, double low, double high, int... dims) {
    return operand(
        name,
        (target, random) -> {
          for (long i = 0; i < target.size(); i++) {
            target.set(i, random.nextDouble(low, high));
          }
        },
        dims);
  }

  /** Class numbers below {@code classes}. */
  public Tensor classes(String name, int classes, int count) {
    return operand(
        new Variable(name, TensorType.of(DType.I32, count), Variable.Kind.STATISTIC),
        (target, random) -> {
          for (long i = 0; i < target.size(); i++) {
            target.set(i, random.nextInt(classes));
          }
        });
  }

  /** Lets an operand be {@code value} after a run. */
  public void assign(String name, Tensor value) {
    Variable variable =
        operands.keySet().stream().filter(operand -> operand.name().equals(name)).findFirst().orElseThrow();
    graph.assign(variable, value);
    assigned.add(variable);
  }

  /** The operands that a run changes. */
  public List<Variable> assigned() {
    return List.copyOf(assigned);
  }

  private Tensor operand(String name, Initializer values, int... dims) {
    return operand(new Variable(name, new TensorType(Shape.of(dims), dtype), Variable.Kind.STATISTIC), values);
  }

  private Tensor operand(Variable variable, Initializer values) {
    operands.put(variable, values);
    return graph.read(variable);
  }

  /** The layer's output, with parameters as its initialisers make them. */
  public Tensor through(Layer layer, Tensor x) {
    Tensor step = graph.constant(TensorType.of(DType.I32), 0);
    Tensor y = Scope.root(graph, Scope.Mode.TRAINING, parameters, dtype, SEED, step).apply("layer", layer, x);
    parameters.all().forEach(declared -> operands.put(declared.variable(), declared.initializer()));
    return y;
  }

  /** The parameters of the layers so far. */
  public List<Tensor> learned() {
    List<Tensor> learned = new ArrayList<>();
    graph.nodes().stream()
        .filter(node -> node.op() instanceof Op.Read(Variable read) && read.kind() == Variable.Kind.WEIGHT)
        .forEach(node -> learned.add(graph.tensor(node, 0)));
    return learned;
  }

  /** The gradients of {@code inputs} when that of {@code y} is {@code dy}. */
  public static List<Tensor> backward(Tensor y, Tensor dy, List<Tensor> inputs) {
    return Gradients.of(y.times(dy).sum(), inputs);
  }

  public Graph graph() {
    return graph;
  }

  /** What has to have a value before a run. */
  public List<Variable> variables() {
    return List.copyOf(operands.keySet());
  }

  /** Writes the variable's values: the same ones whatever the element type, which are floats. */
  public void fill(Variable variable, HostTensor target) {
    operands.get(variable).fill(target, Initializer.generator(SEED, variable.name()));
    for (long i = 0; i < target.size(); i++) {
      target.set(i, (float) target.get(i));
    }
  }
}
