package dev.lamina.device.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lamina.conformance.RunOp;
import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op;
import dev.lamina.graph.Padding;
import dev.lamina.graph.Philox;
import dev.lamina.graph.PoolSpec;
import dev.lamina.graph.RandomStream;
import dev.lamina.graph.Size;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Every operation on numbers small enough to be worked out on paper: the oracle is not its own judge. */
class ReferenceByHandTest {
  private static final double NAN = Double.NaN;

  private final ReferenceDevice device = new ReferenceDevice();
  private final Arena arena = Arena.ofConfined();

  @AfterEach
  void close() {
    device.close();
    arena.close();
  }

  @Test
  void mapRepeatsItsInputsAndFillsSeveralOutputs() {
    // x [2,3] row-major, a row [3], a column [2,1], a scalar
    Expr sum = Exprs.add(Exprs.add(Exprs.input(0), Exprs.input(1)), Exprs.add(Exprs.input(2), Exprs.input(3)));
    Expr product = Exprs.mul(Exprs.input(1), Exprs.input(2));
    var op = new Op.Map(List.of(sum, product), List.of(DType.F64, DType.F32), Shape.of(2, 3));
    var out =
        RunOp.run(
            device,
            arena,
            op,
            List.of(
                f64(Shape.of(2, 3), 1, 2, 3, 4, 5, 6),
                f64(Shape.of(3), 10, 20, 30),
                f64(Shape.of(2, 1), 100, 200),
                f64(Shape.scalar(), 1000)));
    values(out.get(0), 1111, 1122, 1133, 1214, 1225, 1236);
    values(out.get(1), 1000, 2000, 3000, 2000, 4000, 6000);
  }

  @Test
  void mapKnowsCoordinatesAndSelects() {
    Expr diagonal =
        Exprs.select(Relation.EQ, new Expr.Index(0), new Expr.Index(1), Exprs.constant(1), Exprs.constant(0));
    var identity = RunOp.run(device, arena, new Op.Map(diagonal, DType.U8, Shape.of(3, 3)), List.of()).getFirst();
    values(identity, 1, 0, 0, 0, 1, 0, 0, 0, 1);
  }

  @Test
  void valuesAreRoundedToTheTypeTheyAreStoredIn() {
    Expr third = Exprs.div(1, Exprs.input(0));
    HostTensor three = f64(Shape.of(1), 3);
    assertEquals(1 / 3f, RunOp.run(device, arena, new Op.Map(third, DType.F32, Shape.of(1)), three).get(0));
    assertEquals(0.333984375, RunOp.run(device, arena, new Op.Map(third, DType.BF16, Shape.of(1)), three).get(0));
    assertEquals(0.333251953125, RunOp.run(device, arena, new Op.Map(third, DType.F16, Shape.of(1)), three).get(0));
    Expr negative = Exprs.mul(Exprs.input(0), -0.9);
    assertEquals(
        -2,
        RunOp.run(device, arena, new Op.Map(negative, DType.I32, Shape.of(1)), three).get(0),
        "truncated toward zero");
  }

  @Test
  void randomNumbersAreWordsOfPhilox() {
    var stream = new RandomStream(7, 99, 0);
    HostTensor step = tensor(DType.I32, Shape.scalar(), 5);
    var op =
        new Op.Map(
            List.of(new Expr.Uniform(stream), new Expr.Bernoulli(stream, 1L << 31)),
            List.of(DType.F32, DType.U8),
            Shape.of(2, 5));
    var out = RunOp.run(device, arena, op, List.of(step));
    for (int i = 0; i < 10; i++) {
      long word = Philox.word(stream, 5, i);
      assertEquals((word >>> 8) / 16777216.0, out.get(0).get(i));
      assertEquals(word < 2147483648L ? 1 : 0, out.get(1).get(i));
    }
  }

  @Test
  void reduceJoinsAlongTheNamedAxes() {
    HostTensor x = f64(Shape.of(2, 3), 1, -2, 3, 4, 5, -6);
    values(reduce(Op.ReduceKind.SUM, x, Exprs.input(0), 0), 5, 3, -3);
    values(reduce(Op.ReduceKind.SUM, x, Exprs.input(0), 1), 2, 3);
    values(reduce(Op.ReduceKind.MAX, x, Exprs.abs(Exprs.input(0)), 1), 3, 6);
    values(reduce(Op.ReduceKind.MIN, x, Exprs.input(0), 0, 1), -6);
    values(reduce(Op.ReduceKind.MAX, f64(Shape.of(2, 2), 1, NAN, 3, 2), Exprs.input(0), 1), NAN, 3);
  }

  @Test
  void matrixProductsOfAllTranspositionsAgreeWithTheOneByHand() {
    // [1 2 3; 4 5 6] · [7 8; 9 10; 11 12] = [58 64; 139 154]
    HostTensor a = f64(Shape.of(2, 3), 1, 2, 3, 4, 5, 6);
    HostTensor aT = f64(Shape.of(3, 2), 1, 4, 2, 5, 3, 6);
    HostTensor b = f64(Shape.of(3, 2), 7, 8, 9, 10, 11, 12);
    HostTensor bT = f64(Shape.of(2, 3), 7, 9, 11, 8, 10, 12);
    double[] product = {58, 64, 139, 154};
    values(RunOp.run(device, arena, new Op.MatMul(false, false), a, b), product);
    values(RunOp.run(device, arena, new Op.MatMul(true, false), aT, b), product);
    values(RunOp.run(device, arena, new Op.MatMul(false, true), a, bT), product);
    values(RunOp.run(device, arena, new Op.MatMul(true, true), aT, bT), product);
  }

  @Test
  void convolutionSumsTapsOverTheWindow() {
    // image [1,3,3,1] and filter [1,2,2,1]: y = 1·a + 2·b + 3·c + 4·d of each 2x2 window
    HostTensor image = f64(Shape.of(1, 3, 3, 1), 1, 2, 3, 4, 5, 6, 7, 8, 9);
    HostTensor filter = f64(Shape.of(1, 2, 2, 1), 1, 2, 3, 4);
    values(RunOp.run(device, arena, new Op.Conv2d(ConvSpec.PLAIN), image, filter), 37, 47, 67, 77);
    var padded = new ConvSpec(new Size(2, 1), new Padding(1, 0, 0, 1), Size.square(1), 1);
    // windows begin in rows −1 and 1, columns 0, 1, 2
    values(
        RunOp.run(device, arena, new Op.Conv2d(padded), image, filter),
        3 + 8,
        6 + 12,
        9,
        4 + 10 + 21 + 32,
        5 + 12 + 24 + 36,
        6 + 27);
    var dilated = new ConvSpec(Size.square(1), Padding.NONE, Size.square(2), 1);
    values(RunOp.run(device, arena, new Op.Conv2d(dilated), image, filter), 1 + 6 + 21 + 36);
  }

  @Test
  void convolutionGroupsDoNotSeeEachOther() {
    // one pixel of four channels, two groups; filter [4,1,1,2]
    HostTensor pixel = f64(Shape.of(1, 1, 1, 4), 1, 2, 3, 4);
    HostTensor filter = f64(Shape.of(4, 1, 1, 2), 1, 0, 0, 1, 1, 1, 10, 100);
    var grouped = new ConvSpec(Size.square(1), Padding.NONE, Size.square(1), 2);
    values(RunOp.run(device, arena, new Op.Conv2d(grouped), pixel, filter), 1, 2, 7, 430);
  }

  @Test
  void convolutionGradientsSpreadEachOutputOverItsWindow() {
    HostTensor image = f64(Shape.of(1, 3, 3, 1), 1, 2, 3, 4, 5, 6, 7, 8, 9);
    HostTensor filter = f64(Shape.of(1, 2, 2, 1), 1, 2, 3, 4);
    HostTensor gradient = f64(Shape.of(1, 2, 2, 1), 1, 0, 0, 10);
    var toImage = new Op.Conv2dInputGradient(ConvSpec.PLAIN, image.shape());
    values(RunOp.run(device, arena, toImage, gradient, filter), 1, 2, 0, 3, 4 + 10, 20, 0, 30, 40);
    var toFilter = new Op.Conv2dFilterGradient(ConvSpec.PLAIN, filter.shape());
    values(RunOp.run(device, arena, toFilter, image, gradient), 1 + 50, 2 + 60, 4 + 80, 5 + 90);
  }

  @Test
  void maxPoolTakesTheFirstOfEqualsAndLetsNaNWin() {
    HostTensor image = f64(Shape.of(1, 2, 6, 1), 5, 5, 1, NAN, -3, -2, 5, 5, NAN, 2, -1, -1);
    var out = RunOp.run(device, arena, new Op.Pool2d(Op.PoolKind.MAX, PoolSpec.tiled(2)), List.of(image));
    values(out.get(0), 5, NAN, -1);
    values(out.get(1), 0, 1, 2);
  }

  @Test
  void maxPoolPaddingNeverWinsAndCountsAsAPosition() {
    HostTensor image = f64(Shape.of(1, 1, 2, 1), -7, -9);
    var spec = new PoolSpec(Size.square(2), Size.square(1), new Padding(1, 0, 1, 1));
    var out = RunOp.run(device, arena, new Op.Pool2d(Op.PoolKind.MAX, spec), List.of(image));
    values(out.get(0), -7, -7, -9);
    values(out.get(1), 3, 2, 2);
  }

  @Test
  void maxPoolGivesNegativeInfinityAWinner() {
    HostTensor image = f64(Shape.of(1, 2, 2, 1), -1.0 / 0, -1.0 / 0, -1.0 / 0, -1.0 / 0);
    var out = RunOp.run(device, arena, new Op.Pool2d(Op.PoolKind.MAX, PoolSpec.tiled(2)), List.of(image));
    values(out.get(0), -1.0 / 0);
    values(out.get(1), 0);
  }

  @Test
  void maxPoolWinnersOfWindowsOf256PositionsAreUnsignedBytes() {
    HostTensor image = HostTensor.allocate(arena, TensorType.of(DType.F64, 1, 16, 16, 1));
    image.set(255, 1);
    var out = RunOp.run(device, arena, new Op.Pool2d(Op.PoolKind.MAX, PoolSpec.tiled(16)), List.of(image));
    values(out.get(1), 255);
  }

  @Test
  void maxPoolGradientGoesToTheWinnersAndAddsUpWhereWindowsOverlap() {
    var spec = new PoolSpec(Size.square(2), Size.square(1), Padding.NONE);
    // 1 9 2 / 3 4 5: both windows are won by the 9
    HostTensor winners = tensor(DType.U8, Shape.of(1, 1, 2, 1), 1, 0);
    var op = new Op.Pool2dGradient(Op.PoolKind.MAX, spec, Shape.of(1, 2, 3, 1));
    values(RunOp.run(device, arena, op, f64(Shape.of(1, 1, 2, 1), 10, 100), winners), 0, 110, 0, 0, 0, 0);
  }

  @Test
  void averagePoolCountsPadding() {
    HostTensor image = f64(Shape.of(1, 1, 2, 1), 8, 4);
    var spec = new PoolSpec(Size.square(2), Size.square(1), new Padding(1, 0, 0, 1));
    values(RunOp.run(device, arena, new Op.Pool2d(Op.PoolKind.AVERAGE, spec), image), 3, 1);
    var gradient = new Op.Pool2dGradient(Op.PoolKind.AVERAGE, spec, image.shape());
    values(RunOp.run(device, arena, gradient, f64(Shape.of(1, 1, 2, 1), 4, 40)), 1, 11);
  }

  @Test
  void batchNormUsesTheBiasedVariance() {
    // two channels: 1, 3 (mean 2, variance 1) and 10, 10 (variance 0)
    HostTensor x = f64(Shape.of(2, 2), 1, 10, 3, 10);
    var out =
        RunOp.run(device, arena, new Op.BatchNorm(3), List.of(x, f64(Shape.of(2), 4, 1), f64(Shape.of(2), 100, 7)));
    values(out.get(0), 98, 7, 102, 7); // invStd = 1 / √(1 + 3)
    values(out.get(1), 2, 10);
    values(out.get(2), 1, 0);
    values(out.get(3), 0.5, 1 / Math.sqrt(3));
  }

  @Test
  void batchNormKeepsItsDigitsFarFromZero() {
    HostTensor x = f64(Shape.of(4, 1), 1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16);
    var out = RunOp.run(device, arena, new Op.BatchNorm(0), List.of(x, f64(Shape.of(1), 1), f64(Shape.of(1), 0)));
    values(out.get(2), 22.5);
  }

  @Test
  void batchNormGradientByHand() {
    // x̂ = (−1, 1)·½ with γ = 4, invStd = ½; g = (1, 5): dβ = 6, dγ = ½·(−1 + 5) = 2, dx = 2·(g − 3 − x̂)
    var out =
        RunOp.run(
            device,
            arena,
            new Op.BatchNormGradient(),
            List.of(
                f64(Shape.of(2, 1), 1, 3),
                f64(Shape.of(1), 4),
                f64(Shape.of(1), 2),
                f64(Shape.of(1), 0.5),
                f64(Shape.of(2, 1), 1, 5)));
    values(out.get(0), 2 * (1 - 3 + 0.5), 2 * (5 - 3 - 0.5));
    values(out.get(1), 2);
    values(out.get(2), 6);
  }

  @Test
  void crossEntropyOfEqualLogitsIsTheLogarithmOfTheClasses() {
    HostTensor logits = f64(Shape.of(2, 4), 7, 7, 7, 7, 1e4, 1e4, 1e4, 1e4);
    HostTensor labels = tensor(DType.I32, Shape.of(2), 0, 3);
    close(RunOp.run(device, arena, new Op.SoftmaxCrossEntropy(0), logits, labels), Math.log(4), Math.log(4));
    close(RunOp.run(device, arena, new Op.SoftmaxCrossEntropy(0.1), logits, labels), Math.log(4), Math.log(4));
    var gradient =
        RunOp.run(device, arena, new Op.SoftmaxCrossEntropyGradient(0), logits, labels, f64(Shape.of(2), 1, 2));
    close(gradient, -0.75, 0.25, 0.25, 0.25, 0.5, 0.5, 0.5, -1.5);
  }

  @Test
  void crossEntropyWithLabelSmoothingMixesInTheUniformDistribution() {
    // softmax(log 1, log 3) = (¼, ¾); smoothing 0.2 makes the target (0.9, 0.1)
    HostTensor logits = f64(Shape.of(1, 2), 0, Math.log(3));
    HostTensor label = tensor(DType.I32, Shape.of(1), 0);
    HostTensor distribution = f64(Shape.of(1, 2), 1, 0);
    double loss = 0.9 * Math.log(4) + 0.1 * Math.log(4 / 3.0);
    close(RunOp.run(device, arena, new Op.SoftmaxCrossEntropy(0.2), logits, label), loss);
    close(RunOp.run(device, arena, new Op.SoftmaxCrossEntropy(0.2), logits, distribution), loss);
    HostTensor one = f64(Shape.of(1), 1);
    close(
        RunOp.run(device, arena, new Op.SoftmaxCrossEntropyGradient(0.2), logits, label, one), 0.25 - 0.9, 0.75 - 0.1);
    close(
        RunOp.run(device, arena, new Op.SoftmaxCrossEntropyGradient(0.2), logits, distribution, one),
        0.25 - 0.9,
        0.75 - 0.1);
  }

  @Test
  void crossEntropyOfImpossibleLabelsIsNotANumber() {
    HostTensor logits = f64(Shape.of(2, 2), 0, 0, 0, 0);
    HostTensor labels = tensor(DType.I32, Shape.of(2), -1, 2);
    values(RunOp.run(device, arena, new Op.SoftmaxCrossEntropy(0), logits, labels), NAN, NAN);
  }

  @Test
  void crossEntropyOfAnImpossibleClassIsInfiniteOnlyIfItIsTheTarget() {
    HostTensor logits = f64(Shape.of(2, 2), 3, Double.NEGATIVE_INFINITY, 3, Double.NEGATIVE_INFINITY);
    HostTensor labels = tensor(DType.I32, Shape.of(2), 0, 1);
    values(RunOp.run(device, arena, new Op.SoftmaxCrossEntropy(0), logits, labels), 0, Double.POSITIVE_INFINITY);
  }

  @Test
  void permuteMovesDimensions() {
    HostTensor x = f64(Shape.of(1, 2, 3), 1, 2, 3, 4, 5, 6);
    HostTensor out = RunOp.run(device, arena, new Op.Permute(List.of(2, 0, 1)), x);
    assertEquals(Shape.of(3, 1, 2), out.shape());
    values(out, 1, 4, 2, 5, 3, 6);
  }

  @Test
  void sliceConcatPadAndPackMoveRuns() {
    HostTensor x = f64(Shape.of(2, 3), 1, 2, 3, 4, 5, 6);
    values(RunOp.run(device, arena, new Op.Slice(1, 1, 3), x), 2, 3, 5, 6);
    values(RunOp.run(device, arena, new Op.Slice(0, 1, 2), x), 4, 5, 6);
    values(RunOp.run(device, arena, new Op.Concat(1), x, f64(Shape.of(2, 1), 8, 9)), 1, 2, 3, 8, 4, 5, 6, 9);
    values(RunOp.run(device, arena, new Op.Pad(1, 1, 0), x), 0, 1, 2, 3, 0, 4, 5, 6);
    values(RunOp.run(device, arena, new Op.Pad(0, 0, 1), x), 1, 2, 3, 4, 5, 6, 0, 0, 0);
    values(
        RunOp.run(device, arena, new Op.Pack(List.of(1L, 8L), 10), x, f64(Shape.of(1), 7)),
        0,
        1,
        2,
        3,
        4,
        5,
        6,
        0,
        7,
        0);
  }

  @Test
  void histogramCountsTheEdgesToTheRightButTheLast() {
    HostTensor x = HostTensor.of(arena, Shape.of(2, 5), -1, -0.5f, 0, 0.25f, 0.5f, 1, 1, 2, 2.5f, Float.NaN);
    HostTensor low = HostTensor.of(arena, Shape.scalar(), -1);
    HostTensor high = HostTensor.of(arena, Shape.scalar(), 2);
    values(RunOp.run(device, arena, new Op.Histogram(3), x, low, high), 2, 3, 3);
    values(RunOp.run(device, arena, new Op.Histogram(3), x, high, high), 1, 0, 0);
    values(RunOp.run(device, arena, new Op.Histogram(3), x, high, low), 0, 0, 0);
  }

  @Test
  void argMaxTakesTheFirstOfEqualsAndNaN() {
    HostTensor x = f64(Shape.of(4, 3), 1, 3, 3, NAN, 9, NAN, -5, -6, -7, 2, 1, NAN);
    values(RunOp.run(device, arena, new Op.ArgMax(), x), 1, 0, 0, 2);
  }

  @Test
  void fusedPartsHandOnUnroundedValues() {
    // 1/3·900 − 300 in BF16: were the third rounded on its way, to 0.333984375, the result would be 0.5859375
    HostTensor one = tensor(DType.BF16, Shape.of(1, 1), 1);
    HostTensor nineHundred = tensor(DType.BF16, Shape.of(1, 1), 900);
    Expr third = Exprs.mul(Exprs.input(0), 1 / 3.0);
    Expr minus = Exprs.sub(Exprs.input(2), 300);
    var op = new Op.Fused(new Op.MatMul(false, false), 0, third, minus, 0);
    values(RunOp.run(device, arena, op, one, nineHundred), 0);
  }

  @Test
  void fusedExpressionsSeeAnchorInputsExtrasAndTheAnchorsValue() {
    // prologue: a + extra (a scalar) where a is the left matrix; epilogue: value·channel
    HostTensor a = f64(Shape.of(1, 2), 1, 2);
    HostTensor b = f64(Shape.of(2, 2), 1, 0, 0, 1);
    HostTensor scalar = f64(Shape.scalar(), 10);
    HostTensor channel = f64(Shape.of(2), 2, 3);
    var op =
        new Op.Fused(
            new Op.MatMul(false, false),
            0,
            Exprs.add(Exprs.input(0), Exprs.input(2)),
            Exprs.mul(Exprs.input(4), Exprs.input(3)),
            2);
    values(RunOp.run(device, arena, op, a, b, scalar, channel), 22, 36);
  }

  private HostTensor reduce(Op.ReduceKind kind, HostTensor x, Expr value, Integer... axes) {
    return RunOp.run(device, arena, new Op.Reduce(kind, value, DType.F64, x.shape(), List.of(axes)), x);
  }

  private HostTensor f64(Shape shape, double... values) {
    return tensor(DType.F64, shape, values);
  }

  private HostTensor tensor(DType dtype, Shape shape, double... values) {
    assertEquals(shape.size(), values.length);
    HostTensor tensor = HostTensor.allocate(arena, new TensorType(shape, dtype));
    for (int i = 0; i < values.length; i++) {
      tensor.set(i, values[i]);
    }
    return tensor;
  }

  private static void values(HostTensor got, double... want) {
    assertArrayEquals(want, got.toDoubles());
  }

  /** Equal but for the roundings of a handful of operations in double. */
  private static void close(HostTensor got, double... want) {
    assertArrayEquals(want, got.toDoubles(), 16 * Math.ulp(2.0));
  }
}
