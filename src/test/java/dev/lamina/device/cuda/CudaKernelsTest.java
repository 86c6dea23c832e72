package dev.lamina.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op;
import dev.lamina.graph.Op.ReduceKind;
import dev.lamina.graph.RandomStream;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What is decided before a kernel starts: widths of accesses, parts of sums, what needs no launch at all. */
class CudaKernelsTest {
  private static final long A = 0x1000;
  private static final long B = 0x20000;
  private static final long C = 0x300000;
  private final CudaKernels kernels = new CudaKernels();

  private static Op.Map sum(TensorType type) {
    return new Op.Map(Exprs.add(Exprs.input(0), Exprs.input(1)), type.dtype(), type.shape());
  }

  private Launch only(Op op, List<TensorType> types, long[] inputs, long output) {
    List<Launch> launches = kernels.launches(op, types, inputs, new long[] {output}, 0);
    assertEquals(1, launches.size());
    return launches.getFirst();
  }

  private String width(TensorType x, TensorType y, long a, long b, long c) {
    return only(sum(x), List.of(x, y), new long[] {a, b}, c).options().getFirst();
  }

  @Test
  void accessesAreAsWideAsTypesAddressesAndChannelsAllow() {
    TensorType floats = TensorType.f32(32, 100, 24);
    TensorType halves = TensorType.of(DType.BF16, 32, 100, 24);
    assertEquals("-DWIDTH=4", width(floats, floats, A, B, C));
    assertEquals("-DWIDTH=8", width(halves, halves, A, B, C));
    assertEquals("-DWIDTH=4", width(halves, halves, A, B + 8, C));
    assertEquals("-DWIDTH=1", width(floats, floats, A, B, C + 4));
    assertEquals("-DWIDTH=8", width(halves, TensorType.f32(24), A, B, C));
    assertEquals("-DWIDTH=4", width(TensorType.f32(50, 100, 12), TensorType.f32(12), A, B, C));
    assertEquals("-DWIDTH=1", width(TensorType.f32(50, 100, 3), TensorType.f32(3), A, B, C));
  }

  @Test
  void shapesShareAKernelUnlessAnExpressionAsksForPlaces() {
    TensorType small = TensorType.f32(32, 100, 24);
    TensorType large = TensorType.f32(64, 7, 7, 512);
    TensorType channels = TensorType.f32(512);
    Launch first = only(sum(small), List.of(small, TensorType.f32(24)), new long[] {A, B}, C);
    Launch second = only(sum(large), List.of(large, channels), new long[] {A, B}, C);
    assertEquals(first.source(), second.source());
    assertEquals(first.options(), second.options());
    Op.Map place = new Op.Map(new Expr.Index(1), DType.F32, small.shape());
    Op.Map other = new Op.Map(new Expr.Index(1), DType.F32, large.shape());
    assertNotEquals(only(place, List.of(), new long[0], C).source(), only(other, List.of(), new long[0], C).source());
  }

  @Test
  void sumsAreCutByShapeAloneAndNeedMemoryForTheirParts() {
    Shape shape = Shape.of(1 << 20, 16);
    TensorType x = new TensorType(shape, DType.F32);
    Op.Reduce reduce = new Op.Reduce(ReduceKind.SUM, Exprs.input(0), DType.F32, shape, List.of(0));
    long workspace = kernels.workspaceBytes(reduce, List.of(x));
    assertTrue(workspace > 0);
    List<Launch> aligned = kernels.launches(reduce, List.of(x), new long[] {A}, new long[] {B}, C);
    List<Launch> askew = kernels.launches(reduce, List.of(x), new long[] {A + 4}, new long[] {B}, C);
    assertEquals(2, aligned.size());
    assertNotEquals(aligned.getFirst().options(), askew.getFirst().options());
    assertEquals(aligned.getFirst().arguments().getLast(), new Launch.Argument.Address(A));
    int parts = Math.toIntExact(workspace / Float.BYTES / 16);
    assertTrue(aligned.getFirst().arguments().contains(new Launch.Argument.Int32(parts)));
    assertTrue(askew.getFirst().arguments().contains(new Launch.Argument.Int32(parts)));
  }

  @Test
  void fewPartsOfANormalisationAreJoinedWhereTheyAreNeeded() {
    assertEquals(
        List.of("lamina_batch_norm_statistics", "lamina_batch_norm_join_and_normalise"),
        normalisation(TensorType.f32(64, 28, 28, 16)));
    assertEquals(
        List.of("lamina_batch_norm_statistics", "lamina_batch_norm_join", "lamina_batch_norm_normalise"),
        normalisation(TensorType.f32(64, 56, 56, 256)));
    // Those that BatchNormConformanceTest and SixteenBitConformanceTest run.
    assertEquals(3, normalisation(TensorType.f32(2611, 132)).size());
    assertEquals(3, normalisation(TensorType.of(DType.BF16, 1411, 136)).size());
  }

  private List<String> normalisation(TensorType x) {
    TensorType channel = TensorType.f32(x.shape().last());
    long[] outputs = {A, B, B + 8192, B + 16384};
    return kernels
        .launches(new Op.BatchNorm(1e-5), List.of(x, channel, channel), new long[] {C, B, B}, outputs, 1L << 40)
        .stream()
        .map(Launch::entry)
        .toList();
  }

  @Test
  void whatLiesInItsPackAlreadyIsNotCopied() {
    TensorType part = TensorType.f32(16);
    Op.Pack pack = new Op.Pack(List.of(0L, 16L), 32);
    long[] outputs = {C};
    assertEquals(0, kernels.launches(pack, List.of(part, part), new long[] {C, C + 64}, outputs, 0).size());
    assertEquals(1, kernels.launches(pack, List.of(part, part), new long[] {C, A}, outputs, 0).size());
    assertEquals(1, kernels.launches(new Op.Pack(List.of(0L), 24), List.of(part), new long[] {C}, outputs, 0).size());
  }

  @Test
  void severalCopiesAreOneLaunch() {
    long[] from = {A, A + 0x100, A + 0x200, A + 0x300, A + 0x400};
    long[] to = {B, B + 0x100, B + 0x200, B + 0x300, B + 0x404};
    List<Launch> launches = CopyLaunches.several(from, to, new long[] {100, 8, 3, 16, 7});
    assertEquals(2, launches.size());
    assertTrue(launches.getFirst().options().contains("-DUNIT=16"));
    assertTrue(launches.getLast().options().contains("-DUNIT=4"));
    assertEquals(List.of(), CopyLaunches.several(new long[] {A}, new long[] {B}, new long[] {0}));
  }

  @Test
  void hugeTensorsAreCountedIn64Bits() {
    TensorType huge = TensorType.of(DType.U8, 1 << 20, 1 << 12);
    Op.Map copy = new Op.Map(Exprs.input(0), DType.U8, huge.shape());
    Launch launch = only(copy, List.of(huge), new long[] {A}, B);
    assertTrue(launch.options().contains("-DWIDE_INDEX"));
    assertEquals(new Launch.Argument.Int64(1L << 32), launch.arguments().getFirst());
  }

  @Test
  void onlyDepthwiseConvolutionsAreLaminas() {
    TensorType image = TensorType.f32(2, 8, 8, 16);
    TensorType depthwise = TensorType.f32(16, 3, 3, 1);
    TensorType dense = TensorType.f32(16, 3, 3, 16);
    Op own =
        new Op.Conv2d(new ConvSpec(ConvSpec.PLAIN.stride(), ConvSpec.PLAIN.padding(), ConvSpec.PLAIN.dilation(), 16));
    Op foreign = new Op.Conv2d(ConvSpec.PLAIN);
    assertTrue(CudaKernels.isDepthwise(own, List.of(image, depthwise)));
    assertFalse(CudaKernels.isDepthwise(foreign, List.of(image, dense)));
    assertEquals(Optional.empty(), kernels.unsupported(own, List.of(image, depthwise)));
    assertTrue(kernels.unsupported(foreign, List.of(image, dense)).isPresent());
  }

  @Test
  void refusesWhatCannotRideOnANormalisation() {
    TensorType x = TensorType.f32(8, 4, 4, 16);
    TensorType channel = TensorType.f32(16);
    Op.BatchNorm norm = new Op.BatchNorm(1e-5);
    Expr y = Exprs.input(3);
    assertEquals(
        Optional.empty(),
        kernels.unsupported(new Op.Fused(norm, -1, null, Exprs.tanh(y), 0), List.of(x, channel, channel)));
    Expr random = Exprs.mul(Exprs.input(4), new Expr.Bernoulli(new RandomStream(1, 2, 3), 1L << 31));
    assertTrue(
        kernels
            .unsupported(
                new Op.Fused(norm, -1, null, random, 1), List.of(x, channel, channel, TensorType.of(DType.I32)))
            .isPresent());
    assertTrue(
        kernels
            .unsupported(new Op.Fused(norm, 0, Exprs.tanh(Exprs.input(0)), null, 0), List.of(x, channel, channel))
            .isPresent());
    assertTrue(kernels.unsupported(norm, List.of(new TensorType(x.shape(), DType.F64), channel, channel)).isPresent());
  }
}
