package dev.lamina.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What no operation accepts is said in one line, in front of every device. */
class TypeInferenceTest {
  private static final TensorType IMAGE = TensorType.f32(2, 8, 8, 3);
  private static final TensorType CHANNEL = TensorType.f32(3);

  private static Arguments refused(Op op, List<TensorType> in, String words) {
    return arguments(op, in, words);
  }

  static Stream<Arguments> refusals() {
    ConvSpec twoGroups = new ConvSpec(Size.square(1), Padding.NONE, Size.square(1), 2);
    TensorType filter = TensorType.f32(4, 3, 3, 3);
    PoolSpec pool = PoolSpec.tiled(2);
    TensorType pooled = TensorType.f32(2, 4, 4, 3);
    return Stream.of(
        refused(new Op.MatMul(false, false), List.of(TensorType.f32(2, 3), TensorType.f32(4, 5)), "inner dimensions"),
        refused(new Op.MatMul(false, false), List.of(IMAGE, TensorType.f32(4, 5)), "Flatten"),
        refused(new Op.Conv2d(ConvSpec.PLAIN), List.of(TensorType.f32(2, 3, 8, 8), filter), "NCHW"),
        refused(new Op.Conv2d(ConvSpec.PLAIN), List.of(TensorType.f32(2, 2, 8, 3), filter), "does not fit"),
        refused(new Op.Conv2d(twoGroups), List.of(IMAGE, filter), "2 groups"),
        refused(
            new Op.Conv2d(ConvSpec.PLAIN), List.of(IMAGE, TensorType.of(DType.F64, 4, 3, 3, 3)), "one element type"),
        refused(new Op.Pool2d(Op.PoolKind.MAX, PoolSpec.tiled(9)), List.of(IMAGE), "does not fit"),
        refused(new Op.Pool2d(Op.PoolKind.MAX, PoolSpec.tiled(17)), List.of(IMAGE), "256 positions"),
        refused(new Op.Pool2dGradient(Op.PoolKind.MAX, pool, IMAGE.shape()), List.of(pooled, pooled), "winners, bytes"),
        refused(new Op.BatchNorm(1e-5), List.of(IMAGE, CHANNEL, TensorType.f32(4)), "expected [3]"),
        refused(
            new Op.SoftmaxCrossEntropy(0), List.of(TensorType.f32(5, 3), TensorType.of(DType.I32, 4)), "class indices"),
        refused(new Op.Slice(1, 3, 3), List.of(IMAGE), "range within 8"),
        refused(new Op.Histogram(0), List.of(IMAGE, TensorType.f32(), TensorType.f32()), "1 to 4096 bins, got 0"),
        refused(new Op.Histogram(9), List.of(IMAGE, TensorType.f32(1), TensorType.f32()), "two scalars"),
        refused(new Op.Permute(List.of(0, 1, 1, 3)), List.of(IMAGE), "each axis"),
        refused(new Op.Pad(0, -1, 0), List.of(IMAGE), "negative"),
        refused(new Op.Map(Exprs.input(1), DType.F32, IMAGE.shape()), List.of(IMAGE), "reads input 1"),
        refused(new Op.Map(Exprs.input(0), DType.F32, Shape.of(8, 5)), List.of(IMAGE), "cannot be repeated"),
        refused(
            new Op.Fused(new Op.BatchNorm(1e-5), -1, null, Exprs.input(4), 0),
            List.of(IMAGE, CHANNEL, CHANNEL),
            "reads input 4"),
        refused(
            new Op.Fused(new Op.BatchNorm(1e-5), 3, Exprs.input(0), null, 0),
            List.of(IMAGE, CHANNEL, CHANNEL),
            "no input 3"));
  }

  @ParameterizedTest
  @MethodSource("refusals")
  void aRefusalIsOneLineWithOperationExpectationAndWhatCame(Op op, List<TensorType> in, String words) {
    String message = assertThrows(IllegalArgumentException.class, () -> TypeInference.infer(op, in)).getMessage();
    assertTrue(message.startsWith(op.label() + ": "), message);
    assertTrue(message.contains(words), message);
    assertTrue(message.contains("(got " + in.getFirst()), message);
    assertFalse(message.contains("\n"), message);
  }

  static Stream<Arguments> geometry() {
    return Stream.<Arguments>of(
        arguments(
            (Supplier<Object>) () -> new ConvSpec(new Size(1, 0), Padding.NONE, Size.square(1), 1),
            "stride: expected 1 or more, got 1x0"),
        arguments(
            (Supplier<Object>) () -> new ConvSpec(Size.square(1), Padding.NONE, Size.square(0), 1),
            "dilation: expected 1 or more, got 0x0"),
        arguments(
            (Supplier<Object>) () -> new ConvSpec(Size.square(1), Padding.NONE, Size.square(1), 0),
            "groups: expected 1 or more, got 0"),
        arguments(
            (Supplier<Object>) () -> new Padding(1, 0, -2, 0),
            "padding: expected 0 or more on each side, got 1,0,-2,0"),
        arguments((Supplier<Object>) () -> PoolSpec.tiled(0), "window: expected 1 or more, got 0x0"));
  }

  @ParameterizedTest
  @MethodSource("geometry")
  void geometryThatFitsNoImageIsRefusedWhereItIsWritten(Supplier<Object> written, String expected) {
    assertEquals(expected, assertThrows(IllegalArgumentException.class, written::get).getMessage());
  }

  @Test
  void aFusedOperationReturnsWhatItsAnchorDoes() {
    Op fused = new Op.Fused(new Op.BatchNorm(1e-5), -1, null, Exprs.add(Exprs.input(4), Exprs.input(3)), 1);
    List<TensorType> anchor = TypeInference.infer(new Op.BatchNorm(1e-5), List.of(IMAGE, CHANNEL, CHANNEL));
    assertEquals(anchor, TypeInference.infer(fused, List.of(IMAGE, CHANNEL, CHANNEL, IMAGE)));
  }
}
