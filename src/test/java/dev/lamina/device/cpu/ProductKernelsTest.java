package dev.lamina.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.lamina.conformance.RunOp;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.reference.ReferenceProvider;
import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Op;
import dev.lamina.graph.Padding;
import dev.lamina.graph.Size;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Matrix products and convolutions of any shape, with vectors and without, against the reference device; the same bits
 * for any number of threads.
 */
class ProductKernelsTest {
  private final Arena arena = Arena.ofConfined();
  private final Device reference = new ReferenceProvider().open(DeviceOptions.DEFAULT);
  private final Device vectors = new CpuDevice(new DeviceOptions(2));
  private final Device oneThread = new CpuDevice(new DeviceOptions(1));
  private final Device threeThreads = new CpuDevice(new DeviceOptions(3));
  private final Device scalar = new CpuDevice(new DeviceOptions(2), 0);

  @AfterEach
  void close() {
    for (Device device : new Device[] {reference, vectors, oneThread, threeThreads, scalar}) {
      device.close();
    }
    arena.close();
  }

  private HostTensor random(SplittableRandom random, Shape shape) {
    HostTensor tensor = HostTensor.allocate(arena, new TensorType(shape, DType.F32));
    for (long i = 0; i < tensor.size(); i++) {
      tensor.set(i, random.nextDouble(-1, 1));
    }
    return tensor;
  }

  /**
   * Terms are at most 1, so a sum of {@code terms} of them is off by at most half a unit in the last place for each
   * partial sum.
   */
  private void check(Op op, long terms, HostTensor... inputs) {
    HostTensor expected = RunOp.run(reference, arena, op, inputs);
    double allowed = Math.ulp(1f) * terms * Math.sqrt(terms);
    HostTensor wide = RunOp.run(vectors, arena, op, inputs);
    HostTensor narrow = RunOp.run(scalar, arena, op, inputs);
    for (long i = 0; i < expected.size(); i++) {
      assertEquals(expected.get(i), wide.get(i), allowed, op + " element " + i);
      assertEquals(expected.get(i), narrow.get(i), allowed, op + " without vectors, element " + i);
    }
    assertEquals(
        -1, wide.segment().mismatch(RunOp.run(oneThread, arena, op, inputs).segment()), op + " with one thread");
    assertEquals(
        -1, wide.segment().mismatch(RunOp.run(threeThreads, arena, op, inputs).segment()), op + " with three threads");
  }

  @RepeatedTest(40)
  void matrixProducts(RepetitionInfo repetition) {
    SplittableRandom random = new SplittableRandom(repetition.getCurrentRepetition());
    int m = random.nextInt(1, 150);
    int k = random.nextInt(1, 80);
    int n = random.nextInt(1, 100);
    boolean transposeA = random.nextBoolean();
    boolean transposeB = random.nextBoolean();
    HostTensor a = random(random, transposeA ? Shape.of(k, m) : Shape.of(m, k));
    HostTensor b = random(random, transposeB ? Shape.of(n, k) : Shape.of(k, n));
    check(new Op.MatMul(transposeA, transposeB), k, a, b);
  }

  @RepeatedTest(60)
  void convolutionsAndBothGradients(RepetitionInfo repetition) {
    SplittableRandom random = new SplittableRandom(repetition.getCurrentRepetition());
    int groups = random.nextInt(4) == 0 ? random.nextInt(1, 4) : 1;
    int in = groups * random.nextInt(1, random.nextBoolean() ? 4 : 40);
    int out = groups * random.nextInt(1, random.nextBoolean() ? 20 : 70);
    Size kernel = new Size(random.nextInt(1, 5), random.nextInt(1, 5));
    Size stride = new Size(random.nextInt(1, 4), random.nextInt(1, 4));
    Size dilation = random.nextInt(3) == 0 ? new Size(random.nextInt(1, 3), random.nextInt(1, 3)) : Size.square(1);
    Padding padding = new Padding(random.nextInt(3), random.nextInt(3), random.nextInt(3), random.nextInt(3));
    ConvSpec spec = new ConvSpec(stride, padding, dilation, groups);
    int height = dilation.height() * (kernel.height() - 1) + random.nextInt(1, 9);
    int width = dilation.width() * (kernel.width() - 1) + random.nextInt(1, 12);
    Shape image = Shape.of(random.nextInt(1, 20), height, width, in);
    Shape filter = Shape.of(out, kernel.height(), kernel.width(), in / groups);
    checkAll(random, spec, image, filter);
  }

  /** Forward and both gradients. */
  private void checkAll(SplittableRandom random, ConvSpec spec, Shape image, Shape filter) {
    Shape result =
        Shape.of(
            image.dim(0),
            spec.outputHeight(image.dim(1), filter.dim(1)),
            spec.outputWidth(image.dim(2), filter.dim(2)),
            filter.dim(0));
    HostTensor x = random(random, image);
    HostTensor w = random(random, filter);
    HostTensor dy = random(random, result);
    long gradientTerms = (long) filter.dim(1) * filter.dim(2) * filter.dim(0) / spec.groups();
    check(new Op.Conv2d(spec), filter.sliceSize(), x, w);
    check(new Op.Conv2dInputGradient(spec, image), gradientTerms, dy, w);
    check(new Op.Conv2dFilterGradient(spec, filter), (long) result.dim(0) * result.dim(1) * result.dim(2), x, dy);
  }

  /** Channels and geometry for which Winograd's algorithm is chosen. */
  @RepeatedTest(16)
  void manyChannelsAndSmallFilters(RepetitionInfo repetition) {
    assumeTrue(VectorSupport.FOUND.bits() > 0, "Winograd's transforms are of vectors");
    SplittableRandom random = new SplittableRandom(repetition.getCurrentRepetition());
    int taps = repetition.getCurrentRepetition() % 2 == 0 ? 3 : 5;
    Padding padding = new Padding(random.nextInt(3), random.nextInt(3), random.nextInt(3), random.nextInt(3));
    ConvSpec spec = new ConvSpec(Size.square(1), padding, Size.square(1), 1);
    int in = 16 * random.nextInt(1, 6);
    int out = Math.max(16, 32 * random.nextInt(0, 4));
    int height = random.nextInt(6, 13);
    int width = random.nextInt(6, 13);
    Shape result = Shape.of(random.nextInt(8, 12), height, width, out);
    Shape image =
        Shape.of(
            result.dim(0),
            height + taps - 1 - padding.top() - padding.bottom(),
            width + taps - 1 - padding.left() - padding.right(),
            in);
    Shape filter = Shape.of(out, taps, taps, in);
    assertTrue(WinogradKernel.suits(spec, image, result, filter, VectorSupport.FOUND.bits()));
    checkAll(random, spec, image, filter);
  }

  /** Taps, stride and channels for which Winograd's algorithm is chosen: whole vectors of channels and others. */
  @ParameterizedTest
  @CsvSource({
    "2,1,32", "3,1,8", "3,1,20", "4,1,16", "5,1,24", "3,2,64", "3,2,20", "4,2,16", "5,2,32", "6,2,3", "7,2,3", "7,2,48",
    "7,3,5", "8,2,3", "9,3,16", "11,4,3", "17,4,2", "19,10,3"
  })
  void winogradOfCells(int taps, int stride, int in) {
    assumeTrue(VectorSupport.FOUND.bits() > 0, "Winograd's transforms are of vectors");
    SplittableRandom random = new SplittableRandom(taps + 100 * in);
    for (int i = 0; i < 2; i++) {
      Padding padding = new Padding(random.nextInt(4), random.nextInt(4), random.nextInt(4), random.nextInt(4));
      ConvSpec spec = new ConvSpec(Size.square(stride), padding, Size.square(1), 1);
      int height = random.nextInt(11, 13);
      int width = random.nextInt(11, 13);
      Shape result = Shape.of(random.nextInt(5, 9), height, width, 32 * random.nextInt(1, 4));
      // Columns and rows that no window reaches, too.
      Shape image =
          Shape.of(
              result.dim(0),
              stride * (height - 1) + taps - padding.top() - padding.bottom() + random.nextInt(stride),
              stride * (width - 1) + taps - padding.left() - padding.right() + random.nextInt(stride),
              in);
      Shape filter = Shape.of(result.dim(3), taps, taps, in);
      assertTrue(WinogradKernel.suits(spec, image, result, filter, VectorSupport.FOUND.bits()));
      checkAll(random, spec, image, filter);
    }
  }

  /**
   * So few that panels are divided, too: one image, of tiles that are not whole; padding that is wider than a filter.
   */
  @ParameterizedTest
  @CsvSource({"16,64,128,1,1", "14,32,96,1,1", "13,20,64,1,5", "31,16,64,2,1", "23,3,96,2,6"})
  void aFewTiles(int side, int in, int out, int stride, int padding) {
    assumeTrue(VectorSupport.FOUND.bits() > 0, "Winograd's transforms are of vectors");
    ConvSpec spec = new ConvSpec(Size.square(stride), Padding.all(padding), Size.square(1), 1);
    Shape image = Shape.of(1, side, side, in);
    int taps = stride == 1 ? 3 : 5;
    Shape filter = Shape.of(out, taps, taps, in);
    int result = spec.outputHeight(side, taps);
    assertTrue(WinogradKernel.suits(spec, image, Shape.of(1, result, result, out), filter, VectorSupport.FOUND.bits()));
    checkAll(new SplittableRandom(side), spec, image, filter);
  }

  /** Fewer rows of tiles than there would be chunks, each longer than what is multiplied at once. */
  @ParameterizedTest
  @ValueSource(ints = {16, 64})
  void aFewLongRowsOfTiles(int channels) {
    ConvSpec spec = new ConvSpec(Size.square(1), Padding.all(1), Size.square(1), 1);
    checkAll(new SplittableRandom(7), spec, Shape.of(1, 8, 600, channels), Shape.of(32, 3, 3, channels));
  }

  @ParameterizedTest
  @ValueSource(ints = {16, 19, 48})
  void depthwiseConvolution(int channels) {
    SplittableRandom random = new SplittableRandom(5);
    for (int stride = 1; stride <= 2; stride++) {
      ConvSpec spec = new ConvSpec(Size.square(stride), Padding.all(1), Size.square(1), channels);
      checkAll(random, spec, Shape.of(3, 7, 5, channels), Shape.of(channels, 3, 3, 1));
    }
  }

  @Test
  void aGradientThatIsOnlyShiftedIntoItsFrame() {
    SplittableRandom random = new SplittableRandom(6);
    ConvSpec spec = new ConvSpec(Size.square(1), new Padding(2, 0, 0, 0), Size.square(1), 1);
    Shape image = Shape.of(2, 5, 4, 3);
    HostTensor dy = random(random, Shape.of(2, 6, 4, 7));
    check(new Op.Conv2dInputGradient(spec, image), 14, dy, random(random, Shape.of(7, 2, 1, 3)));
  }

  @Test
  void theTestWouldSeeAWrongElement() {
    SplittableRandom random = new SplittableRandom(1);
    HostTensor a = random(random, Shape.of(3, 3));
    HostTensor b = random(random, Shape.of(3, 3));
    HostTensor product = RunOp.run(vectors, arena, new Op.MatMul(false, false), a, b);
    a.set(0, a.get(0) + 1e-3);
    assertTrue(product.segment().mismatch(RunOp.run(vectors, arena, new Op.MatMul(false, false), a, b).segment()) >= 0);
  }
}
