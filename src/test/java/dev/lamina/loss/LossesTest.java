package dev.lamina.loss;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.gradients.GradientCheck;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.nn.LayerRun;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LossesTest {
  private static final double NAN = Double.NaN;

  /** The loss of predictions [n, values] against {@code targets}, and its gradient summed over examples. */
  private static LayerRun.Result run(Loss loss, int n, double[] predictions, double... targets) {
    Shape shape = Shape.of(n, predictions.length / n);
    return new LayerRun((x, scope) -> loss.perExample(x, constants(x.graph(), loss.target(x.type()), targets)))
        .run(shape, predictions);
  }

  /** A tensor of the given numbers, told apart by their place. */
  private static Tensor constants(Graph graph, TensorType type, double... values) {
    Expr value = Exprs.constant(values[0]);
    int last = type.shape().rank() == 1 ? 1 : type.shape().last();
    for (int i = 1; i < values.length; i++) {
      Expr row = new Expr.Index(0);
      Expr flat = type.shape().rank() == 1 ? row : Exprs.add(Exprs.mul(row, last), new Expr.Index(1));
      value = Exprs.select(Expr.Relation.EQ, flat, Exprs.constant(i), Exprs.constant(values[i]), value);
    }
    return graph.add(new Op.Map(value, type.dtype(), type.shape()), List.of()).getFirst();
  }

  private static double[] losses(Loss loss, int n, double[] predictions, double... targets) {
    return run(loss, n, predictions, targets).output();
  }

  private static double[] of(double... values) {
    return values;
  }

  @Test
  void softmaxCrossEntropyIsTheNegativeLogOfTheRightClass() {
    double sum = Math.exp(1) + Math.exp(2) + Math.exp(-1);
    double[] expected = {-Math.log(Math.exp(2) / sum), -Math.log(Math.exp(-1) / sum)};
    assertArrayEquals(expected, losses(new SoftmaxCrossEntropy(), 2, of(1, 2, -1, 1, 2, -1), 1, 2), 1e-14);
    double[] smooth = losses(new SoftmaxCrossEntropy(0.3), 1, of(1, 2, -1), 1);
    double even = -(1 + 2 - 1 - 3 * Math.log(sum)) / 3;
    assertEquals(0.7 * expected[0] + 0.3 * even, smooth[0], 1e-14);
    Loss distributions = new SoftmaxCrossEntropy(0, SoftmaxCrossEntropy.Targets.DISTRIBUTIONS);
    assertEquals(
        0.25 * expected[0] + 0.75 * expected[1], losses(distributions, 1, of(1, 2, -1), 0, 0.25, 0.75)[0], 1e-14);
    assertArrayEquals(of(0, 20000), losses(new SoftmaxCrossEntropy(), 2, of(1e4, -1e4, 1e4, -1e4), 0, 1));
  }

  @Test
  void binaryCrossEntropyIsExactHoweverSureAndHoweverWrong() {
    LayerRun.Result result = run(new BinaryCrossEntropy(), 6, of(0.7, 0.7, 1e4, 1e4, -1e4, 40), 1, 0, 1, 0, 1, 1);
    double p = 1 / (1 + Math.exp(-0.7));
    assertArrayEquals(of(-Math.log(p), -Math.log(1 - p), 0, 1e4, 1e4, Math.exp(-40)), result.output(), 1e-15);
    assertEquals(Math.exp(-40), result.output()[5], 1e-30, "where log(1 + e⁴⁰) − 40 would be 0");
    assertArrayEquals(of(p - 1, p, 0, 1, -1, -Math.exp(-40)), result.gradient(), 1e-15);
  }

  @Test
  void lossesOverValuesAreMeansOverAnExample() {
    double[] prediction = {1, -2, 0.5, 4};
    double[] target = {0, 1, 0.5, 1};
    assertArrayEquals(of((1 + 9) / 2.0, 9 / 2.0), losses(new MeanSquaredError(), 2, prediction, target));
    assertArrayEquals(of((1 + 3) / 2.0, 3 / 2.0), losses(new L1(), 2, prediction, target));
    assertArrayEquals(of((0.5 + 2.5) / 2, 2.5 / 2), losses(new Huber(), 2, prediction, target));
    assertArrayEquals(of((0.5 + 4) / 2, 4 / 2.0), losses(new Huber(2), 2, prediction, target));
  }

  @Test
  void slopesAtKinksAreThoseOfPyTorch() {
    assertArrayEquals(of(0), run(new L1(), 1, of(3), 3).gradient());
    assertArrayEquals(of(1, -1), run(new Huber(), 2, of(1, -1), 0, 0).gradient());
    assertArrayEquals(of(0, 0), run(new MultiClassHinge(), 1, of(2, 1), 0).gradient(), 0, "a margin that is just met");
  }

  /** The course's example: scores 3.2, 5.1, −1.7 with the first class right give 2.9. */
  @Test
  void hingeOfTheCourse() {
    double[] scores = {3.2, 5.1, -1.7, 1.3, 4.9, 2.0, 2.2, 2.5, -3.1};
    assertArrayEquals(of(2.9, 0, 12.9), losses(new MultiClassHinge().summed(), 3, scores, 0, 1, 2), 1e-14);
    assertArrayEquals(of(2.9 / 3, 0, 12.9 / 3), losses(new MultiClassHinge(), 3, scores, 0, 1, 2), 1e-14);
    assertArrayEquals(
        of(-1, 1, 0, 0, 0, 0, 1, 1, -2), run(new MultiClassHinge().summed(), 3, scores, 0, 1, 2).gradient());
  }

  static Stream<Loss> losses() {
    return Stream.of(
        new SoftmaxCrossEntropy(),
        new SoftmaxCrossEntropy(0.1),
        new SoftmaxCrossEntropy(0.1, SoftmaxCrossEntropy.Targets.DISTRIBUTIONS),
        new BinaryCrossEntropy(),
        new MeanSquaredError(),
        new L1(),
        new Huber(0.7),
        new MultiClassHinge().summed(),
        new MultiClassHinge(0.5, true));
  }

  @ParameterizedTest
  @MethodSource("losses")
  void gradientsAreTheSlopesThatDifferencesShow(Loss loss) {
    double[] labels = {2, 0, 3, 1};
    double[] values = {0.1, 0.2, 0.3, 0.4, 0.7, 0, 0.1, 0.2, 1, 0, 0, 0, 0.25, 0.25, 0.25, 0.25};
    new GradientCheck()
        .check(
            (graph, in) -> {
              TensorType type = loss.target(in.getFirst().type());
              return loss.perExample(
                  in.getFirst(), constants(graph, type, type.dtype() == DType.I32 ? labels : values));
            },
            Shape.of(4, 4));
  }

  @ParameterizedTest
  @MethodSource("losses")
  void aPredictionThatIsNotANumberIsNotHidden(Loss loss) {
    boolean classes = loss.target(TensorType.of(DType.F64, 1, 2)).dtype() == DType.I32;
    for (double[] prediction : new double[][] {{NAN, 1}, {1, NAN}}) {
      double[] result = losses(loss, 1, prediction, classes ? of(0) : of(1, 0));
      assertTrue(Double.isNaN(result[0]), loss + " hides NaN: " + result[0]);
    }
  }

  @Test
  void targetsOfAnotherShapeAreRefusedInOneLine() {
    Graph graph = new Graph();
    Tensor prediction = graph.input("p", TensorType.f32(4, 3));
    Tensor target = graph.input("t", TensorType.f32(4, 2));
    Tensor labels = graph.input("l", TensorType.of(DType.I32, 3));
    for (Loss loss : List.of(new MeanSquaredError(), new BinaryCrossEntropy(), new Huber())) {
      var e = assertThrows(IllegalArgumentException.class, () -> loss.perExample(prediction, target));
      assertTrue(e.getMessage().contains("[4,3], got [4,2]"), e.getMessage());
    }
    var e = assertThrows(IllegalArgumentException.class, () -> new MultiClassHinge().perExample(prediction, labels));
    assertTrue(e.getMessage().contains("class indices [n]"), e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> new SoftmaxCrossEntropy(1));
    assertThrows(IllegalArgumentException.class, () -> new Huber(0));
    assertThrows(IllegalArgumentException.class, () -> new MultiClassHinge(-1));
  }
}
