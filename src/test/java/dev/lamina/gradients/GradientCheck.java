package dev.lamina.gradients;

import static org.junit.jupiter.api.Assertions.fail;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.RunningGraph;
import dev.lamina.device.reference.ReferenceProvider;
import dev.lamina.graph.Gradients;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Node;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BiFunction;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;

/**
 * Proves gradients: what {@link Gradients} makes of a function of double tensors, on the reference device, against
 * central differences of the function itself.
 *
 * <p>The function's result, of any shape, is multiplied by fixed random numbers and summed, so that no error can hide
 * in a symmetric sum.
 */
public final class GradientCheck {
  /**
   * The step of the differences: near the cube root of the precision of a double, where truncation and rounding errors
   * balance.
   */
  private static final double STEP = 6e-6;

  /**
   * Largest error allowed, relative to the largest gradient of the tensor (at least 1): that of the differences is
   * about 1e-10.
   */
  private static final double TOLERANCE = 1e-6;

  private DoubleUnaryOperator shaping = x -> x;
  private long seed = 1;

  /** Draws inputs from normal numbers passed through {@code shaping}, for example to keep away from kinks. */
  public GradientCheck shaping(DoubleUnaryOperator function) {
    shaping = function;
    return this;
  }

  /** Draws other inputs. */
  public GradientCheck seed(long newSeed) {
    seed = newSeed;
    return this;
  }

  /** Moves a value at least {@code distance} away from 0, where many activations have a kink. */
  public static DoubleUnaryOperator awayFromZero(double distance) {
    return x -> x + Math.copySign(distance, x);
  }

  /**
   * Checks the gradients with respect to all inputs, and to all weights that the function reads besides, as layers do.
   * Statistics that it reads get numbers from 0.5 to 1.5.
   *
   * @param function adds the function to the graph of its inputs, which are F64
   * @param shapes of the inputs
   */
  public void check(BiFunction<Graph, List<Tensor>, Tensor> function, Shape... shapes) {
    Graph graph = new Graph();
    List<Variable> variables = new ArrayList<>();
    List<Tensor> inputs = new ArrayList<>();
    for (int i = 0; i < shapes.length; i++) {
      variables.add(new Variable("x" + i, new TensorType(shapes[i], DType.F64), Variable.Kind.WEIGHT));
      inputs.add(graph.read(variables.getLast()));
    }
    Tensor result = function.apply(graph, inputs);
    List<Variable> others = new ArrayList<>();
    for (Node node : graph.nodes()) {
      if (node.op() instanceof Op.Read(Variable variable) && !variables.contains(variable)) {
        if (variable.kind() == Variable.Kind.WEIGHT) {
          variables.add(variable);
          inputs.add(graph.tensor(node, 0));
        } else {
          others.add(variable);
        }
      }
    }
    Variable mix = new Variable("mix", result.type(), Variable.Kind.STATISTIC);
    Tensor loss = result.times(graph.read(mix)).sum();
    graph.output("loss", loss);
    List<Tensor> gradients = Gradients.of(loss, inputs);
    for (int i = 0; i < gradients.size(); i++) {
      graph.output("g" + i, gradients.get(i));
    }
    List<Variable> all = new ArrayList<>(variables);
    all.addAll(others);
    all.add(mix);
    try (Arena arena = Arena.ofConfined();
        Device device = new ReferenceProvider().open(DeviceOptions.DEFAULT);
        RunningGraph running = new RunningGraph(device, graph)) {
      SplittableRandom random = new SplittableRandom(seed);
      List<HostTensor> values = new ArrayList<>();
      for (Variable variable : all) {
        HostTensor value = HostTensor.allocate(arena, variable.type());
        for (long i = 0; i < value.size(); i++) {
          boolean statistic = variable.kind() == Variable.Kind.STATISTIC;
          value.set(i, statistic ? random.nextDouble(0.5, 1.5) : shaping.applyAsDouble(random.nextGaussian()));
        }
        running.variables().write(variable, value);
        values.add(value);
      }
      running.run();
      List<HostTensor> computed =
          IntStream.range(0, variables.size()).mapToObj(i -> running.read("g" + i, arena)).toList();
      for (int i = 0; i < variables.size(); i++) {
        compare(running, variables.get(i), values.get(i), computed.get(i));
      }
    }
  }

  private static void compare(RunningGraph running, Variable variable, HostTensor value, HostTensor computed) {
    double scale = 1;
    for (long i = 0; i < computed.size(); i++) {
      scale = Math.max(scale, Math.abs(computed.get(i)));
    }
    StringBuilder wrong = new StringBuilder();
    int count = 0;
    for (long i = 0; i < value.size(); i++) {
      double x = value.get(i);
      double above = lossAt(running, variable, value, i, x + STEP);
      double below = lossAt(running, variable, value, i, x - STEP);
      value.set(i, x);
      double difference = (above - below) / (2 * STEP);
      if (!(Math.abs(difference - computed.get(i)) <= TOLERANCE * scale) && ++count <= 5) {
        wrong
            .append("\n  element ")
            .append(i)
            .append(": gradient ")
            .append(computed.get(i))
            .append(", difference ")
            .append(difference)
            .append(" (")
            .append(Math.abs(difference - computed.get(i)) / (TOLERANCE * scale))
            .append(" of the allowance)");
      }
    }
    running.variables().write(variable, value);
    if (count > 0) {
      fail(variable + ": " + count + " of " + value.size() + " gradients are wrong" + wrong);
    }
  }

  private static double lossAt(RunningGraph running, Variable variable, HostTensor value, long index, double x) {
    value.set(index, x);
    running.variables().write(variable, value);
    running.run();
    return running.number("loss");
  }
}
