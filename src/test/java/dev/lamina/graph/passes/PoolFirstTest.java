package dev.lamina.graph.passes;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.graph.Gradients;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Node;
import dev.lamina.graph.Op;
import dev.lamina.graph.Padding;
import dev.lamina.graph.PoolSpec;
import dev.lamina.graph.Size;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.nn.Layer;
import dev.lamina.nn.LayerRun;
import dev.lamina.nn.MaxPool2d;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.activation.Tanh;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PoolFirstTest {
  private static final Support EVERYTHING = (op, types) -> true;
  private static final PoolSpec SQUARES = new PoolSpec(Size.square(2), Size.square(2), Padding.NONE);

  /** The loss and the gradient of ReLU and pool; {@code seen}: whether the ReLU's output is asked for as well. */
  private static Graph graph(boolean seen) {
    Graph graph = new Graph();
    Tensor x = graph.read(new Variable("x", TensorType.f32(2, 8, 8, 3), Variable.Kind.WEIGHT));
    Tensor positive = x.map(new ReLU()::apply);
    Tensor pooled = positive.maxPool2d(SQUARES);
    Tensor loss = pooled.times(pooled).sum();
    graph.output("dx", Gradients.of(loss, List.of(x)).getFirst());
    if (seen) {
      graph.output("positive", positive);
    }
    return graph;
  }

  private static List<Shape> maps(Graph graph) {
    return graph.nodes().stream()
        .map(Node::op)
        .filter(Op.Map.class::isInstance)
        .map(op -> ((Op.Map) op).shape())
        .toList();
  }

  @Test
  void whatIsMappedIsPooled() {
    Graph moved = PoolFirst.apply(graph(false), EVERYTHING);
    assertFalse(maps(moved).contains(Shape.of(2, 8, 8, 3)), "maps over " + maps(moved));
    assertEquals(maps(graph(false)).size(), maps(moved).size());
    assertEquals(TensorType.f32(2, 8, 8, 3), moved.outputs().get("dx").type());
  }

  /** With the other passes before and after it, the ReLU rides on the pool. */
  @Test
  void theReluIsPartOfThePool() {
    Graph optimised = Passes.optimise(graph(false), EVERYTHING, List.of());
    assertTrue(
        optimised.nodes().stream()
            .anyMatch(node -> node.op() instanceof Op.Fused fused && fused.anchor() instanceof Op.Pool2d));
    assertFalse(maps(optimised).contains(Shape.of(2, 8, 8, 3)), "maps over " + maps(optimised));
  }

  @Test
  void aReluWhoseOutputIsSeenStaysInFront() {
    assertEquals(maps(graph(true)), maps(PoolFirst.apply(graph(true), EVERYTHING)));
  }

  @Test
  void aDeviceThatPoolsWithoutEpilogueKeepsTheOrder() {
    assertEquals(maps(graph(false)), maps(PoolFirst.apply(graph(false), (op, types) -> !(op instanceof Op.Fused))));
  }

  /** Values in steps of a quarter, half of them negative: windows with equal and with no positive pixels abound. */
  @ParameterizedTest
  @CsvSource({"2, 2, 0", "3, 2, 1", "2, 3, 0"})
  void theBitsAreThoseOfTheReluInFront(int window, int stride, int padding) {
    MaxPool2d pool = new MaxPool2d(window, stride, padding);
    Layer seen =
        (x, scope) -> {
          Tensor positive = new ReLU().forward(x, scope);
          x.graph().output("positive", positive);
          return pool.forward(positive, scope);
        };
    Shape shape = Shape.of(3, 9, 10, 37);
    double[] input = new double[(int) shape.size()];
    SplittableRandom random = new SplittableRandom(4);
    for (int i = 0; i < input.length; i++) {
      input[i] = random.nextInt(200) == 0 ? Double.NaN : random.nextInt(-6, 5) / 4.0;
    }
    LayerRun.Result moved = new LayerRun(new Sequential(new ReLU(), pool, new Tanh())).onCpu().run(shape, input);
    LayerRun.Result before = new LayerRun(new Sequential(seen, new Tanh())).onCpu().run(shape, input);
    assertArrayEquals(before.output(), moved.output());
    assertArrayEquals(before.gradient(), moved.gradient());
  }
}
