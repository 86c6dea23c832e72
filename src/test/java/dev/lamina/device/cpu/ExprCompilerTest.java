package dev.lamina.device.cpu;

import static dev.lamina.graph.Exprs.add;
import static dev.lamina.graph.Exprs.constant;
import static dev.lamina.graph.Exprs.input;
import static dev.lamina.graph.Exprs.mul;
import static dev.lamina.graph.Exprs.sub;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.BinaryOp;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Expr.UnaryOp;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.RandomStream;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.commons.numbers.gamma.Erf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ExprCompilerTest {
  private static final Expr X = input(0);
  private static final Expr Y = input(1);

  /** Scalar code, and the vectors of this process: others would be compiled badly, and spoil the rest. */
  static IntStream widths() {
    return IntStream.of(0, VectorSupport.FOUND.bits()).distinct();
  }

  private static float[] run(MapFixture fixture, int bits, int threads) {
    try (Workers workers = new Workers(threads)) {
      fixture.bind(new ExprCompiler(bits)).run(workers);
    }
    return fixture.actual();
  }

  /** Every operation once, over enough elements for vectors and an end that does not fill one. */
  @ParameterizedTest
  @MethodSource("widths")
  void everyOperationHasTheBitsOfItsInstructions(int bits) {
    List<Expr> all = new ArrayList<>();
    for (UnaryOp op : UnaryOp.values()) {
      all.add(Exprs.unary(op, X));
    }
    for (BinaryOp op : BinaryOp.values()) {
      all.add(Exprs.binary(op, X, Y));
    }
    for (Relation relation : Relation.values()) {
      all.add(Exprs.select(relation, X, Y, add(X, 1), mul(Y, 3)));
    }
    try (Arena arena = Arena.ofConfined()) {
      for (Expr expr : all) {
        var fixture =
            new MapFixture(
                arena,
                List.of(expr),
                List.of(TensorType.f32(117), TensorType.f32(117)),
                List.of(DType.F32),
                Shape.of(117),
                1);
        float[] special = {
          0f, -0f, Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 1e4f, -1e4f, Float.MIN_VALUE, 1f, -1f
        };
        for (int i = 0; i < 100; i++) {
          fixture.inputs.get(0).set(i, special[i / 10]);
          fixture.inputs.get(1).set(i, special[i % 10]);
        }
        assertArrayEquals(fixture.expected(), run(fixture, bits, 1), expr.toString());
      }
    }
  }

  /** Shapes that collapse to every way of iterating, with operands repeated along any of their dimensions. */
  @ParameterizedTest
  @MethodSource("widths")
  void anyBroadcastOfAnyShapeIsRight(int bits) {
    Random random = new Random(7);
    Expr expr = add(mul(X, Exprs.tanh(Y)), sub(input(2), mul(input(3), X)));
    int[] extents = {1, 2, 3, 5, 6, 10, 16, 64, 129, 700};
    for (int trial = 0; trial < 120; trial++) {
      int[] dims = new int[random.nextInt(5)];
      long size = 1;
      for (int i = 0; i < dims.length; i++) {
        dims[i] = extents[random.nextInt(extents.length)];
        dims[i] = size * dims[i] > 40_000 ? 1 : dims[i];
        size *= dims[i];
      }
      Shape shape = Shape.of(dims);
      List<TensorType> inputs = new ArrayList<>();
      for (DType dtype : List.of(DType.F32, DType.F32, DType.U8, DType.I32)) {
        inputs.add(new TensorType(repeated(shape, random), dtype));
      }
      if (inputs.get(0).shape().size() > 20_000) {
        inputs.set(1, TensorType.of(DType.F32));
      }
      try (Arena arena = Arena.ofConfined()) {
        var fixture = new MapFixture(arena, List.of(expr), inputs, List.of(DType.F32), shape, trial);
        assertArrayEquals(fixture.expected(), run(fixture, bits, 1), inputs + " over " + shape);
      }
    }
  }

  private static Shape repeated(Shape shape, Random random) {
    int[] dims = shape.dims();
    int dropped = dims.length > 0 ? random.nextInt(dims.length + 1) : 0;
    int[] kept = Arrays.copyOfRange(dims, random.nextBoolean() ? 0 : dropped, dims.length);
    for (int i = 0; i < kept.length; i++) {
      kept[i] = random.nextInt(3) == 0 ? 1 : kept[i];
    }
    return Shape.of(kept);
  }

  @ParameterizedTest
  @MethodSource("widths")
  void randomNumbersAndCoordinatesAreThoseOfTheDefinition(int bits) {
    RandomStream first = new RandomStream(0x123456789abcdefL, 0xfedcba9876543210L, 1);
    RandomStream second = new RandomStream(-1, -1, 1);
    Expr mask = new Expr.Bernoulli(first, Math.round(0.3 * 0x1p32));
    List<Expr> exprs =
        List.of(
            mul(X, mask),
            new Expr.Uniform(second),
            add(new Expr.Index(0), mul(new Expr.Index(2), 100)),
            new Expr.Bernoulli(first, 1L << 32));
    for (Shape shape : List.of(Shape.of(7, 3, 5), Shape.of(2, 3, 700), Shape.of(50, 1, 1001), Shape.of(1, 1, 1))) {
      try (Arena arena = Arena.ofConfined()) {
        var fixture =
            new MapFixture(
                arena,
                exprs,
                List.of(new TensorType(shape, DType.F32), TensorType.of(DType.I32)),
                List.of(DType.F32, DType.F32, DType.F32, DType.U8),
                shape,
                3);
        fixture.inputs.get(1).set(0, 77);
        assertArrayEquals(fixture.expected(), run(fixture, bits, 2), shape.toString());
      }
    }
  }

  @ParameterizedTest
  @MethodSource("widths")
  void bytesAreReadUnsignedAndWrittenTruncated(int bits) {
    List<TensorType> inputs =
        List.of(TensorType.of(DType.U8, 50, 3), TensorType.of(DType.U8, 3), TensorType.f32(50, 3));
    List<Expr> exprs = List.of(mul(sub(X, Y), 0.25), input(2), X);
    try (Arena arena = Arena.ofConfined()) {
      var fixture = new MapFixture(arena, exprs, inputs, List.of(DType.F32, DType.U8, DType.U8), Shape.of(50, 3), 5);
      fixture.inputs.get(2).set(0, 255.9);
      fixture.inputs.get(2).set(1, -1.5);
      assertArrayEquals(fixture.expected(), run(fixture, bits, 1));
    }
  }

  /** Adam: three outputs over what three of the inputs were. */
  @ParameterizedTest
  @MethodSource("widths")
  void outputsMayLieOnDenseInputs(int bits) {
    Expr m = add(mul(Y, 0.9), mul(input(3), 0.1));
    Expr v = add(mul(input(2), 0.999), mul(mul(input(3), input(3)), 0.001));
    Expr w = sub(X, mul(input(4), Exprs.div(1, add(Exprs.sqrt(Exprs.abs(v)), 1e-8))));
    List<Expr> exprs = List.of(add(w, mul(m, 1e-3)), m, v);
    List<TensorType> inputs = new ArrayList<>(java.util.Collections.nCopies(4, TensorType.f32(40_003)));
    inputs.add(TensorType.f32());
    try (Arena arena = Arena.ofConfined();
        Workers workers = new Workers(2)) {
      var fixture = new MapFixture(arena, exprs, inputs, List.of(DType.F32, DType.F32, DType.F32), Shape.of(40_003), 9);
      float[] expected = fixture.expected();
      MapKernel kernel = fixture.kernel(new ExprCompiler(bits));
      long[] addresses = MapFixture.addresses(fixture.inputs);
      for (int i = 0; i < 3; i++) {
        assertTrue(kernel.canShare(i, i));
        assertFalse(kernel.canShare(4, i));
      }
      kernel.bind(addresses, Arrays.copyOf(addresses, 3)).run(workers);
      for (int i = 0; i < 3; i++) {
        float[] part = Arrays.copyOfRange(expected, i * 40_003, (i + 1) * 40_003);
        assertArrayEquals(part, fixture.inputs.get(i).toFloats());
      }
    }
  }

  @Test
  void theNumberOfThreadsDoesNotChangeTheBits() {
    Expr expr = mul(Exprs.sigmoid(X), add(Y, new Expr.Uniform(new RandomStream(1, 2, 2))));
    try (Arena arena = Arena.ofConfined()) {
      Shape shape = Shape.of(100, 333, 3);
      var fixture =
          new MapFixture(
              arena,
              List.of(expr),
              List.of(new TensorType(shape, DType.F32), TensorType.f32(3), TensorType.of(DType.I32)),
              List.of(DType.F32),
              shape,
              11);
      float[] one = run(fixture, VectorSupport.FOUND.bits(), 1);
      assertArrayEquals(one, run(fixture, VectorSupport.FOUND.bits(), 2));
      assertArrayEquals(one, run(fixture, VectorSupport.FOUND.bits(), 3));
    }
  }

  /**
   * Bits of the first run, interpreted, against those after the just-in-time compiler has had its way; and then no
   * garbage, which boxed vectors would be.
   */
  @Test
  void compilationChangesNoBitsAndLeavesNoGarbage() {
    Expr all = X;
    for (UnaryOp op : List.of(UnaryOp.SIGMOID, UnaryOp.TANH, UnaryOp.ERF, UnaryOp.LOG1P)) {
      all = Exprs.unary(op, all);
    }
    Expr random = new Expr.Bernoulli(new RandomStream(5, 6, 2), 1L << 31);
    Expr adam = mul(X, Exprs.div(1, Exprs.sqrt(add(mul(Y, Y), 1))));
    Expr scaled =
        mul(add(mul(X, input(3)), Exprs.exp(input(3))), sub(Exprs.erf(mul(Y, input(4))), Exprs.log1p(Exprs.abs(X))));
    try (Arena arena = Arena.ofConfined();
        Workers workers = new Workers(1)) {
      for (Expr expr : List.of(Exprs.max(X, constant(0)), all, mul(add(X, Y), random), adam, scaled)) {
        var fixture =
            new MapFixture(
                arena,
                List.of(expr),
                List.of(
                    TensorType.f32(40, 30, 10),
                    TensorType.f32(10),
                    TensorType.of(DType.I32),
                    TensorType.f32(),
                    TensorType.f32(40, 1, 1)),
                List.of(DType.F32),
                Shape.of(40, 30, 10),
                13);
        BoundMap map = fixture.bind(new ExprCompiler(VectorSupport.FOUND.bits()));
        map.run(workers);
        final float[] before = fixture.actual();
        long allocated = Long.MAX_VALUE;
        for (int round = 0; round < 20_000 && allocated > 0; round++) {
          allocated =
              allocatedBy(() -> {
                for (int i = 0; i < 20; i++) {
                  map.run(workers);
                }
              });
        }
        assertArrayEquals(before, fixture.actual());
        assertEquals(0, allocated, "bytes that 20 runs of " + expr + " allocate");
      }
    }
  }

  static long allocatedBy(Runnable action) {
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    action.run();
    return threads.getCurrentThreadAllocatedBytes() - before;
  }

  @ParameterizedTest
  @MethodSource("widths")
  void rectanglesAndRunsComputeWhatTheWholeDoes(int bits) {
    int channels = 37;
    Expr expr = mul(Exprs.max(add(X, Y), constant(0)), input(2));
    try (Arena arena = Arena.ofConfined()) {
      Shape shape = Shape.of(6, 9, channels);
      var fixture =
          new MapFixture(
              arena,
              List.of(expr),
              List.of(new TensorType(shape, DType.F32), TensorType.f32(channels), TensorType.f32()),
              List.of(DType.F32),
              shape,
              17);
      float[] expected = fixture.expected();
      assertTrue(fixture.kernel(new ExprCompiler(bits)).hasRectangles());
      BoundMap map = fixture.bind(new ExprCompiler(bits));
      for (int row = 0; row < 6; row++) {
        for (int column = 0; column < channels; column += 16) {
          map.rectangle((long) row * 9 * channels + column, 9, Math.min(16, channels - column), channels);
        }
      }
      assertArrayEquals(expected, fixture.actual());

      HostTensor elsewhere = HostTensor.allocate(arena, TensorType.f32(500));
      map.into(123, 500, elsewhere.segment().address());
      assertArrayEquals(Arrays.copyOfRange(expected, 123, 623), elsewhere.toFloats());

      fixture.outputs.getFirst().fill(0);
      map.range(5, 1500);
      float[] partly = fixture.actual();
      assertArrayEquals(Arrays.copyOfRange(expected, 5, 1500), Arrays.copyOfRange(partly, 5, 1500));
      assertEquals(0, partly[4]);
      assertEquals(0, partly[1500]);
    }
  }

  @Test
  void oneClassServesManyShapes() {
    ExprCompiler compiler = new ExprCompiler(VectorSupport.FOUND.bits());
    Expr expr = add(mul(X, 2), Y);
    for (Shape shape : List.of(Shape.of(3, 3), Shape.of(5, 7, 3), Shape.of(2, 129))) {
      compiler.map(
          List.of(expr),
          List.of(new TensorType(shape, DType.F32), TensorType.f32(shape.last())),
          List.of(DType.F32),
          shape);
    }
    Expr sameShapeOfCode = add(mul(Y, 2), X);
    compiler.map(
        List.of(sameShapeOfCode), List.of(TensorType.f32(4), TensorType.f32(2, 4)), List.of(DType.F32), Shape.of(2, 4));
    assertEquals(1, compiler.compiledClasses());
  }

  @Test
  void countersAndMetricSumsAreComputedInDouble() {
    try (Arena arena = Arena.ofConfined();
        Workers workers = new Workers(1)) {
      var counter =
          new MapFixture(
              arena, List.of(add(X, 1)), List.of(TensorType.of(DType.I32)), List.of(DType.I32), Shape.scalar(), 1);
      counter.inputs.getFirst().set(0, (1 << 24) + 1);
      counter.bind(new ExprCompiler(VectorSupport.FOUND.bits())).run(workers);
      assertEquals((1 << 24) + 2, counter.outputs.getFirst().get(0));

      var sum =
          new MapFixture(
              arena,
              List.of(add(X, Y)),
              List.of(TensorType.of(DType.F64, 3), TensorType.f32()),
              List.of(DType.F64),
              Shape.of(3),
              2);
      sum.inputs.get(0).set(2, 1e10);
      sum.inputs.get(1).set(0, 0.5);
      BoundMap map = sum.bind(new ExprCompiler(VectorSupport.FOUND.bits()));
      map.run(workers);
      assertEquals(1e10 + 0.5, sum.outputs.getFirst().get(2));
      assertEquals(0, allocatedBy(() -> map.run(workers)));
    }
  }

  @Test
  void whatIsTooLargeToCompileIsNotFusedButComputed() {
    Expr chain = X;
    for (int i = 0; i < 30; i++) {
      chain = Exprs.erf(mul(chain, 1 + i * 0.01));
    }
    ExprCompiler compiler = new ExprCompiler(VectorSupport.FOUND.bits());
    var reason = compiler.unsupported(List.of(chain), List.of(DType.F32), List.of(DType.F32));
    assertTrue(reason.orElseThrow().contains("instructions"), reason.get());
    try (Arena arena = Arena.ofConfined();
        Workers workers = new Workers(1)) {
      var fixture =
          new MapFixture(arena, List.of(chain), List.of(TensorType.f32(40)), List.of(DType.F32), Shape.of(40), 3);
      fixture.bind(compiler).run(workers);
      for (int i = 0; i < 40; i++) {
        double x = fixture.inputs.getFirst().get(i);
        for (int k = 0; k < 30; k++) {
          x = Erf.value(x * (1 + k * 0.01));
        }
        assertEquals(x, fixture.outputs.getFirst().get(i), Math.ulp((float) x));
      }
    }
  }

  @Test
  void halfPrecisionIsRefusedWithAReason() {
    var reason =
        new ExprCompiler(VectorSupport.FOUND.bits()).unsupported(List.of(X), List.of(DType.BF16), List.of(DType.F32));
    assertEquals("the CPU device computes in F32 and F64, not in BF16", reason.orElseThrow());
  }
}
