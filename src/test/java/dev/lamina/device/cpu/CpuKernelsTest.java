package dev.lamina.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.conformance.RunOp;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.reference.ReferenceDevice;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op;
import dev.lamina.graph.Padding;
import dev.lamina.graph.PoolSpec;
import dev.lamina.graph.Size;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Kernels on vectors and in scalar code against the reference device; {@link RunOp} adds the rules that hold for all
 * kernels.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CpuKernelsTest {
  private static final double EPSILON = Math.ulp(1f) / 2;

  private final ReferenceDevice reference = new ReferenceDevice();
  private final List<CpuDevice> devices =
      List.of(
          new CpuDevice(new DeviceOptions(1)),
          new CpuDevice(new DeviceOptions(2)),
          new CpuDevice(new DeviceOptions(3)),
          new CpuDevice(new DeviceOptions(2), 0));
  private final Arena arena = Arena.ofShared();
  private final Random random = new Random(1);

  @AfterAll
  void close() {
    devices.forEach(CpuDevice::close);
    reference.close();
    arena.close();
  }

  private HostTensor normal(double mean, double deviation, int... dims) {
    HostTensor tensor = HostTensor.allocate(arena, TensorType.f32(dims));
    for (long i = 0; i < tensor.size(); i++) {
      tensor.set(i, mean + deviation * random.nextGaussian());
    }
    return tensor;
  }

  /** Small whole numbers: many ties. */
  private HostTensor ties(int... dims) {
    HostTensor tensor = HostTensor.allocate(arena, TensorType.f32(dims));
    for (long i = 0; i < tensor.size(); i++) {
      tensor.set(i, random.nextInt(5) - 2);
    }
    return tensor;
  }

  /**
   * Holds every device against the reference, and every thread count against one thread to the bit.
   *
   * @param allowances what the elements of each output may differ, absolute
   */
  private void check(Op op, List<HostTensor> inputs, double... allowances) {
    List<HostTensor> want = RunOp.run(reference, arena, op, inputs);
    List<HostTensor> single = null;
    for (CpuDevice device : devices) {
      List<HostTensor> got = RunOp.run(device, arena, op, inputs);
      boolean scalar = device == devices.getLast();
      for (int i = 0; i < want.size(); i++) {
        String where = op + " output " + i + (scalar ? " (scalar)" : "");
        requireClose(want.get(i), got.get(i), allowances[Math.min(i, allowances.length - 1)], where);
        if (single != null && !scalar) {
          // All NaN are one to this comparison: which one comes out is the compiler's choice.
          requireClose(single.get(i), got.get(i), 0, where + ": other bits with another number of threads");
        }
      }
      single = single == null ? got : single;
    }
  }

  private static void requireClose(HostTensor want, HostTensor got, double allowance, String where) {
    assertEquals(want.type(), got.type());
    for (long i = 0; i < want.size(); i++) {
      double a = want.get(i);
      double b = got.get(i);
      boolean same = Double.compare(a, b) == 0 || (allowance > 0 && Math.abs(a - b) <= allowance);
      if (!same) {
        throw new AssertionError(where + " element " + i + ": expected " + a + ", got " + b + ", allowed " + allowance);
      }
    }
  }

  @ParameterizedTest(name = "[{0},{1},{2},{3}]")
  @CsvSource({
    "2,1,1,1",
    "1,3,5,3",
    "7,5,3,10",
    "4,9,9,16",
    "3,6,7,17",
    "2,4,4,64",
    "5,3,3,100",
    "1,1,6,2047",
    "2,1,1,2048",
    "64,14,14,6",
    "9,33,31,24",
    "130,8,8,32"
  })
  void batchNormKeepsItsAccuracyWhateverTheChannels(int n, int h, int w, int c) {
    HostTensor gamma = normal(1, 0.2, c);
    HostTensor beta = normal(0, 1, c);
    double rows = (double) n * h * w;
    for (double mean : new double[] {0, 1000}) {
      HostTensor x = normal(mean, 1, n, h, w, c);
      // A value and a shift are rounded near the size of y, at most some ten; γ/std is about 1, but large where few
      // rows are nearly equal: hence a floor on ε.
      double y = 16 * EPSILON * 8;
      double variance = 16 * EPSILON * Math.sqrt(rows);
      check(new Op.BatchNorm(0.1), List.of(x, gamma, beta), y, (mean + 4) * EPSILON * 2, variance * 4, variance * 4);
    }
  }

  @Test
  void batchNormOfAConstantHasNoVarianceAndGivesItsShift() {
    HostTensor x = HostTensor.allocate(arena, TensorType.f32(50, 7, 3)).fill(1e6 + 0.5);
    check(new Op.BatchNorm(1e-5), List.of(x, normal(1, 0.1, 3), normal(0, 1, 3)), 1e-6, 0.25, 1e-9, 1e-4);
  }

  @Test
  void batchNormLetsNanThroughInItsChannelOnly() {
    HostTensor x = normal(0, 1, 40, 5);
    x.set(5 * 17 + 2, Double.NaN);
    check(new Op.BatchNorm(1e-5), List.of(x, normal(1, 0.1, 5), normal(0, 1, 5)), 1e-5);
  }

  @ParameterizedTest(name = "[{0},{1},{2},{3}]")
  @CsvSource({"3,5,5,3", "9,4,4,16", "2,6,7,17", "2,3,3,100", "2,1,3,2047", "33,14,14,6", "64,9,9,32"})
  void batchNormCarriesActivationAndResidualAndItsGradientTheMask(int n, int h, int w, int c) {
    HostTensor x = normal(0.5, 2, n, h, w, c);
    HostTensor gamma = normal(1, 0.2, c);
    HostTensor beta = normal(0, 1, c);
    HostTensor residual = normal(0, 1, n, h, w, c);
    Expr sum = Exprs.add(Exprs.input(4), Exprs.input(3));
    Expr relu = Exprs.select(Relation.LE, sum, Exprs.constant(0), Exprs.constant(0), sum);
    double y = 16 * EPSILON * 8;
    double channel = 64 * EPSILON * Math.sqrt((double) n * h * w);
    check(new Op.Fused(new Op.BatchNorm(1e-3), -1, null, relu, 1), List.of(x, gamma, beta, residual), y, channel);

    List<HostTensor> forward = RunOp.run(reference, arena, new Op.BatchNorm(1e-3), List.of(x, gamma, beta));
    HostTensor dy = normal(0, 1, n, h, w, c);
    double sums = 32 * EPSILON * Math.sqrt((double) n * h * w);
    // Σdy·(x − mean) may grow to n·h·w, its rounding with it; in dx it is divided by that number again.
    List<HostTensor> plain = List.of(x, gamma, forward.get(1), forward.get(3), dy);
    check(new Op.BatchNormGradient(), plain, 64 * EPSILON * 4, sums * 4, sums);
    List<HostTensor> masked = List.of(x, gamma, forward.get(1), forward.get(3), dy, forward.get(0));
    Expr mask = Exprs.select(Relation.LE, Exprs.input(5), Exprs.constant(0), Exprs.constant(0), Exprs.input(4));
    check(new Op.Fused(new Op.BatchNormGradient(), 4, mask, null, 1), masked, 64 * EPSILON * 4, sums * 4, sums);
  }

  private static final PoolSpec OVERLAPPING = new PoolSpec(Size.square(3), Size.square(2), new Padding(1, 0, 1, 1));
  private static final PoolSpec GAPS = new PoolSpec(new Size(2, 1), new Size(3, 2), Padding.NONE);

  private static List<PoolSpec> specs() {
    return List.of(
        PoolSpec.tiled(2),
        PoolSpec.tiled(3),
        OVERLAPPING,
        GAPS,
        new PoolSpec(Size.square(2), Size.square(2), Padding.all(1)));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 6, 16, 35, 64})
  void poolingTakesTheFirstOfEqualsAndItsGradientGoesThere(int channels) {
    for (PoolSpec spec : specs()) {
      HostTensor x = ties(3, 9, 7, channels);
      x.set(20, Double.NaN);
      x.set(21, Double.NaN);
      x.set(22, Double.NEGATIVE_INFINITY);
      Op max = new Op.Pool2d(Op.PoolKind.MAX, spec);
      check(max, List.of(x), 0);
      List<HostTensor> pooled = RunOp.run(reference, arena, max, List.of(x));
      HostTensor dy = normal(0, 1, pooled.getFirst().shape().dims());
      double sum = 9 * 8 * EPSILON;
      check(new Op.Pool2dGradient(Op.PoolKind.MAX, spec, x.shape()), List.of(dy, pooled.get(1)), sum);
      check(new Op.Pool2d(Op.PoolKind.AVERAGE, spec), List.of(normal(0, 1, 3, 9, 7, channels)), sum);
      check(new Op.Pool2dGradient(Op.PoolKind.AVERAGE, spec, x.shape()), List.of(dy), sum);
    }
  }

  @Test
  void aWindowMayHave256Positions() {
    PoolSpec spec = PoolSpec.tiled(16);
    HostTensor x = normal(0, 1, 2, 33, 16, 20);
    Op max = new Op.Pool2d(Op.PoolKind.MAX, spec);
    check(max, List.of(x), 0);
    List<HostTensor> pooled = RunOp.run(reference, arena, max, List.of(x));
    check(new Op.Pool2dGradient(Op.PoolKind.MAX, spec, x.shape()), pooled, 0);
    check(new Op.Pool2d(Op.PoolKind.AVERAGE, spec), List.of(x), 256 * EPSILON);
  }

  @ParameterizedTest(name = "[{0},{1}], logits around {2}")
  @CsvSource({"1,1,0", "5,10,0", "128,10,3", "70,1000,0", "3,5000,0", "6,10,1e4"})
  void crossEntropyOfClassesAndDistributions(int n, int c, double spread) {
    HostTensor logits = normal(0, 1 + spread, n, c);
    HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, n));
    HostTensor distribution = HostTensor.allocate(arena, TensorType.f32(n, c));
    for (int i = 0; i < n; i++) {
      labels.set(i, random.nextInt(c));
      for (int j = 0; j < c; j++) {
        distribution.set((long) i * c + j, random.nextFloat() * 2 / c);
      }
    }
    HostTensor dl = normal(0, 1, n);
    for (double smoothing : new double[] {0, 0.1}) {
      for (HostTensor target : List.of(labels, distribution)) {
        double loss = 8 * EPSILON * (10 + 10 * spread);
        check(new Op.SoftmaxCrossEntropy(smoothing), List.of(logits, target), loss);
        check(new Op.SoftmaxCrossEntropyGradient(smoothing), List.of(logits, target, dl), 64 * EPSILON * (1 + spread));
      }
    }
  }

  @ParameterizedTest(name = "[{0},{1}]")
  @CsvSource({"1,1", "5,10", "128,10", "70,1000"})
  void crossEntropyAndItsGradientAreTheSameToTheBitTogetherAndApart(int n, int c) {
    HostTensor logits = normal(0, 3, n, c);
    HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, n));
    for (int i = 0; i < n; i++) {
      labels.set(i, random.nextInt(c));
    }
    HostTensor dl = normal(0, 1, n);
    for (CpuDevice device : devices) {
      List<HostTensor> both =
          RunOp.run(device, arena, new Op.SoftmaxCrossEntropyWithGradient(0.1), List.of(logits, labels, dl));
      HostTensor loss = RunOp.run(device, arena, new Op.SoftmaxCrossEntropy(0.1), logits, labels);
      HostTensor gradient = RunOp.run(device, arena, new Op.SoftmaxCrossEntropyGradient(0.1), logits, labels, dl);
      assertEquals(-1, loss.segment().mismatch(both.get(0).segment()), "loss");
      assertEquals(-1, gradient.segment().mismatch(both.get(1).segment()), "gradient");
    }
  }

  @ParameterizedTest(name = "[{0},{1}]")
  @CsvSource({"1,1", "5,10", "300,64", "70,1000"})
  void aReductionAndAMapAreTheSameToTheBitTogetherAndApart(int n, int c) {
    Shape shape = Shape.of(n, c);
    HostTensor x = normal(0, 1, n, c);
    HostTensor dy = normal(0, 1, n, c);
    HostTensor slopes = normal(0, 1, c);
    Expr ofSlope = Exprs.ifNotPositive(Exprs.input(0), Exprs.mul(Exprs.input(0), Exprs.input(1)), Exprs.constant(0));
    Expr ofX = Exprs.ifNotPositive(Exprs.input(0), Exprs.mul(Exprs.input(1), Exprs.input(2)), Exprs.input(1));
    Op.Map map = new Op.Map(ofX, DType.F32, shape);
    for (List<Integer> axes : List.of(List.of(0), List.of(1), List.of(0, 1))) {
      Op.Reduce reduce = new Op.Reduce(Op.ReduceKind.SUM, ofSlope, DType.F32, shape, axes);
      for (CpuDevice device : devices) {
        List<HostTensor> both = RunOp.run(device, arena, new Op.ReduceWithMap(reduce, map), List.of(x, dy, slopes));
        HostTensor sums = RunOp.run(device, arena, reduce, x, dy, slopes);
        HostTensor mapped = RunOp.run(device, arena, map, x, dy, slopes);
        assertEquals(-1, sums.segment().mismatch(both.get(0).segment()), "the sums over " + axes);
        assertEquals(-1, mapped.segment().mismatch(both.get(1).segment()), "the map beside sums over " + axes);
      }
    }
  }

  @Test
  void aLabelThatNamesNoClassMakesItsRowNan() {
    HostTensor logits = normal(0, 1, 4, 3);
    HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, 4));
    labels.set(1, 3);
    labels.set(2, -1);
    HostTensor ones = HostTensor.allocate(arena, TensorType.f32(4)).fill(1);
    for (CpuDevice device : devices) {
      HostTensor loss = RunOp.run(device, arena, new Op.SoftmaxCrossEntropy(0), logits, labels);
      HostTensor gradient = RunOp.run(device, arena, new Op.SoftmaxCrossEntropyGradient(0), logits, labels, ones);
      for (int row = 0; row < 4; row++) {
        boolean bad = row == 1 || row == 2;
        assertEquals(bad, Double.isNaN(loss.get(row)), "loss of row " + row);
        assertEquals(bad, Double.isNaN(gradient.get(3 * row)), "gradient of row " + row);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"F32", "U8", "I32", "F64", "F16"})
  void bytesAreMovedWhateverTheirType(DType dtype) {
    HostTensor x = HostTensor.allocate(arena, TensorType.of(dtype, 5, 6, 70, 3));
    HostTensor y = HostTensor.allocate(arena, TensorType.of(dtype, 5, 2, 70, 3));
    for (HostTensor tensor : List.of(x, y)) {
      for (long i = 0; i < tensor.size(); i++) {
        tensor.set(i, random.nextInt(200));
      }
    }
    for (int axis = 0; axis < 4; axis++) {
      check(new Op.Slice(axis, 1, 3), List.of(x), 0);
      check(new Op.Pad(axis, 2, 1), List.of(x), 0);
      check(new Op.Pad(axis, 0, 0), List.of(x), 0);
      check(new Op.Concat(axis), List.of(x, x, x), 0);
    }
    check(new Op.Concat(1), List.of(x, y), 0);
    check(new Op.Pack(List.of(3L, 6400L), 8600), List.of(x, y), 0);
    for (List<Integer> axes : permutations(4)) {
      check(new Op.Permute(axes), List.of(x), 0);
    }
  }

  private static List<List<Integer>> permutations(int rank) {
    List<List<Integer>> all = new ArrayList<>();
    all.add(List.of());
    for (int i = 0; i < rank; i++) {
      List<List<Integer>> longer = new ArrayList<>();
      for (List<Integer> shorter : all) {
        for (int at = 0; at <= shorter.size(); at++) {
          List<Integer> next = new ArrayList<>(shorter);
          next.add(at, i);
          longer.add(next);
        }
      }
      all = longer;
    }
    return all;
  }

  @Test
  void scalarsAndSinglesArePermutedAndLargePacksAreCutUp() {
    check(new Op.Permute(List.of()), List.of(normal(0, 1)), 0);
    check(new Op.Permute(List.of(1, 0)), List.of(normal(0, 1, 1, 1)), 0);
    check(new Op.Permute(List.of(1, 0)), List.of(normal(0, 1, 513, 300)), 0);
    check(new Op.Pack(List.of(0L, 200_000L), 250_001), List.of(normal(0, 1, 400, 500), normal(0, 1, 7)), 0);
  }

  @Test
  void argMaxTakesTheFirstOfEqualsAndNanAsLargest() {
    HostTensor x = ties(40, 1000);
    x.set(1500, Double.NaN);
    x.set(1600, Double.NaN);
    x.set(999, 3);
    check(new Op.ArgMax(), List.of(x), 0);
    check(new Op.ArgMax(), List.of(ties(7)), 0);
  }

  @Test
  void refusesWhatItCannotFuseAndTypesItDoesNotComputeIn() {
    CpuDevice device = devices.getFirst();
    TensorType image = TensorType.f32(2, 4, 4, 3);
    Expr relu = Exprs.max(Exprs.input(0), Exprs.constant(0));
    Op.Fused pool = new Op.Fused(new Op.Pool2d(Op.PoolKind.AVERAGE, PoolSpec.tiled(2)), 0, relu, null, 0);
    assertTrue(device.unsupported(pool, List.of(image)).isPresent());
    TensorType half = TensorType.of(DType.F16, 2, 4, 4, 3);
    assertTrue(
        device
            .unsupported(new Op.Pool2d(Op.PoolKind.MAX, PoolSpec.tiled(2)), List.of(half))
            .orElse("")
            .contains("F16"));
    assertTrue(device.unsupported(new Op.ArgMax(), List.of(image)).isEmpty());
    assertTrue(device.unsupported(new Op.Reshape(Shape.of(96)), List.of(image)).isPresent());
  }
}
