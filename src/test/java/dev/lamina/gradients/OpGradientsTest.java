package dev.lamina.gradients;

import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op;
import dev.lamina.graph.Padding;
import dev.lamina.graph.PoolSpec;
import dev.lamina.graph.Size;
import dev.lamina.graph.Tensor;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The gradient of every operation against central differences. */
class OpGradientsTest {
  private final GradientCheck check = new GradientCheck();

  @Test
  void mapsWithRepeatedInputs() {
    check.check(
        (g, in) ->
            in.get(0)
                .map(
                    Exprs.mul(Exprs.tanh(Exprs.add(Exprs.input(0), Exprs.input(1))), Exprs.input(2)),
                    in.get(1),
                    in.get(2)),
        Shape.of(2, 3, 4),
        Shape.of(4),
        Shape.of(3, 1));
  }

  @Test
  void oneTensorReadTwice() {
    check.check((g, in) -> in.get(0).times(in.get(0)).plus(in.get(0)), Shape.of(3, 2));
  }

  @Test
  void sumsAlongAnyAxes() {
    for (int[] axes : new int[][] {{}, {0}, {1}, {2}, {0, 2}, {1, 2}}) {
      check.check((g, in) -> in.get(0).times(in.get(0)).sum(axes), Shape.of(2, 3, 4));
    }
  }

  @Test
  void reductionsWithAnExpressionOverSeveralInputs() {
    Expr product = Exprs.mul(Exprs.exp(Exprs.input(0)), Exprs.input(1));
    check.check(
        (g, in) -> in.get(0).reduce(Op.ReduceKind.SUM, product, DType.F64, new int[] {0}, in.get(1)),
        Shape.of(3, 4),
        Shape.of(4));
  }

  @Test
  void maximaAndMinima() {
    for (Op.ReduceKind kind : List.of(Op.ReduceKind.MAX, Op.ReduceKind.MIN)) {
      check.check(
          (g, in) -> in.get(0).reduce(kind, Exprs.mul(Exprs.input(0), 2), DType.F64, new int[] {1}), Shape.of(3, 5, 2));
    }
  }

  @Test
  void softmax() {
    check.check((g, in) -> in.get(0).softmax(), Shape.of(3, 5));
  }

  @ParameterizedTest
  @CsvSource({"false,false", "true,false", "false,true", "true,true"})
  void matrixProducts(boolean transposeA, boolean transposeB) {
    check.check(
        (g, in) -> in.get(0).matmul(in.get(1), transposeA, transposeB),
        transposeA ? Shape.of(4, 3) : Shape.of(3, 4),
        transposeB ? Shape.of(5, 4) : Shape.of(4, 5));
  }

  record Convolution(Shape image, Shape filter, ConvSpec spec) {}

  static Stream<Convolution> convolutions() {
    Size one = Size.square(1);
    return Stream.of(
        new Convolution(Shape.of(2, 5, 4, 3), Shape.of(2, 3, 3, 3), new ConvSpec(one, Padding.all(1), one, 1)),
        new Convolution(
            Shape.of(2, 7, 6, 2), Shape.of(3, 3, 2, 2), new ConvSpec(new Size(2, 3), new Padding(1, 0, 0, 2), one, 1)),
        new Convolution(
            Shape.of(1, 7, 7, 2), Shape.of(2, 3, 3, 2), new ConvSpec(one, Padding.all(2), Size.square(2), 1)),
        new Convolution(Shape.of(2, 4, 4, 4), Shape.of(6, 3, 3, 2), new ConvSpec(one, Padding.all(1), one, 2)),
        new Convolution(
            Shape.of(2, 5, 5, 3), Shape.of(3, 3, 3, 1), new ConvSpec(Size.square(2), Padding.all(1), one, 3)),
        new Convolution(Shape.of(2, 3, 3, 4), Shape.of(5, 1, 1, 4), ConvSpec.PLAIN));
  }

  @ParameterizedTest
  @MethodSource("convolutions")
  void convolutions(Convolution c) {
    check.check((g, in) -> in.get(0).conv2d(in.get(1), c.spec), c.image, c.filter);
  }

  @Test
  void pools() {
    PoolSpec overlapping = new PoolSpec(Size.square(3), Size.square(2), Padding.all(1));
    for (PoolSpec spec : List.of(PoolSpec.tiled(2), overlapping)) {
      check.check((g, in) -> in.get(0).maxPool2d(spec), Shape.of(2, 6, 4, 3));
      check.check((g, in) -> in.get(0).averagePool2d(spec), Shape.of(2, 6, 4, 3));
    }
  }

  @Test
  void batchNorm() {
    for (Shape shape : List.of(Shape.of(6, 3), Shape.of(2, 3, 2, 4))) {
      check.check(
          (g, in) -> g.add(new Op.BatchNorm(1e-5), in).getFirst(),
          shape,
          Shape.of(shape.last()),
          Shape.of(shape.last()));
    }
  }

  @Test
  void softmaxCrossEntropyWithIndicesAndDistributions() {
    for (double smoothing : new double[] {0, 0.1}) {
      check.check(
          (g, in) -> g.one(new Op.SoftmaxCrossEntropy(smoothing), in.get(0), labels(in.get(0))), Shape.of(4, 5));
      check.check(
          (g, in) -> g.one(new Op.SoftmaxCrossEntropy(smoothing), in.get(0), g.constant(in.get(0).type(), 0.2)),
          Shape.of(4, 5));
    }
  }

  /** Row i has class i mod classes. */
  private static Tensor labels(Tensor logits) {
    return logits.graph().one(new Op.Map(new Expr.Index(0), DType.I32, Shape.of(logits.shape().dim(0))));
  }

  @Test
  void movesOfElements() {
    check.check((g, in) -> in.get(0).permute(2, 0, 1), Shape.of(2, 3, 4));
    check.check((g, in) -> in.get(0).slice(1, 1, 3), Shape.of(2, 4, 3));
    check.check((g, in) -> g.one(new Op.Pad(1, 2, 1), in.get(0)), Shape.of(2, 3, 2));
    check.check((g, in) -> Tensor.concat(1, in), Shape.of(2, 3), Shape.of(2, 1), Shape.of(2, 4));
    check.check((g, in) -> in.get(0).reshape(6, 2).times(in.get(0).reshape(6, 2)), Shape.of(3, 4));
  }

  @Test
  void whatTheLossDoesNotDependOnGetsZeros() {
    check.check((g, in) -> in.get(0).times(2), Shape.of(3), Shape.of(2));
  }

  @Test
  void typesAreCheckedBeforeAnyDevice() {
    TensorType scalar = TensorType.of(DType.F64);
    org.junit.jupiter.api.Assertions.assertThrows(
        IllegalArgumentException.class,
        () -> check.check((g, in) -> in.get(0).matmul(g.constant(scalar, 1)), Shape.of(2, 2)));
  }
}
